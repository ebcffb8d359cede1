// IsNaN, IsInf and IsFinite: what kind of float an element is; results are boolean.
import * as z from 'zod';
import { toFloat64 } from '../../tensor/convert.ts';
import { tensor } from '../../tensor/tensor.ts';
import { bool, noAttributes } from '../attribute.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { inputFact } from '../fact.ts';

function define<A>(type: string, attributes: z.ZodType<A>, test: (x: number, a: A) => boolean): OpDef {
  return defineOp({
    type,
    opset: 'opset10',
    attributes,
    inputs: [1, 1],
    infer: (_, inputs) => [{ type: 'boolean', shape: inputFact(inputs, 0).shape }],
    evaluate: (a, [x]) => [
      tensor(
        'boolean',
        x!.shape,
        Uint8Array.from(toFloat64(x!), (v) => Number(test(v, a))),
      ),
    ],
  });
}

const signs = z.object({ detect_negative: bool.default(true), detect_positive: bool.default(true) });

export const classification: readonly OpDef[] = [
  define('IsNaN', noAttributes, (x) => Number.isNaN(x)),
  define('IsFinite', noAttributes, (x) => Number.isFinite(x)),
  define('IsInf', signs, (x, a) => (a.detect_positive && x === Infinity) || (a.detect_negative && x === -Infinity)),
];
