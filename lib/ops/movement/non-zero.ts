// NonZero: where the elements are that are not zero.
import * as z from 'zod';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { stridesOf } from '../../tensor/shape.ts';
import { elementType } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { inputFact } from '../fact.ts';

/** Output `[rank, n]`: column i is the position of the i-th non-zero element, in row-major order. */
export const nonZero = defineOp({
  type: 'NonZero',
  opset: 'opset3',
  attributes: z.object({ output_type: elementType.default('i64') }),
  inputs: [1, 1],
  infer: (a, inputs) => {
    const { shape, value } = inputFact(inputs, 0);
    const count = value ? toFloat64(value).reduce((n, v) => n + Number(v !== 0), 0) : -1;
    return [{ type: a.output_type, shape: [shape.length, count] }];
  },
  evaluate: (a, [x]) => {
    const { shape } = x!;
    const strides = stridesOf(shape);
    const found = [...toFloat64(x!).entries()].filter(([, v]) => v !== 0);
    const out = new Float64Array(shape.length * found.length);
    for (const [n, [i]] of found.entries()) {
      for (const [axis, stride] of strides.entries()) {
        out[axis * found.length + n] = Math.floor(i / stride) % shape[axis]!;
      }
    }
    return [fromFloat64(out, [shape.length, found.length], a.output_type)];
  },
});
