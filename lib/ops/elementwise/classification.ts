// IsNaN, IsInf and IsFinite: what kind of float an element is; results are boolean.
import * as z from 'zod';
import type { OutputPort } from '../../graph/node.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import { tensor } from '../../tensor/tensor.ts';
import { bool, noAttributes } from '../attribute.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { inputFact } from '../fact.ts';

/** A comparison that gives the same answer for floats. */
type Comparison<A> = (x: OutputPort, a: A, e: Expansion) => OutputPort;

function define<A>(
  type: string,
  attributes: z.ZodType<A>,
  test: (x: number, a: A) => boolean,
  comparison: Comparison<A>,
): OpDef {
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
    expand: (a, node, e) => (node.source(0)!.fact.type === 'f32' ? [comparison(node.source(0)!, a, e)] : undefined),
  });
}

const magnitude = (x: OutputPort, e: Expansion): OutputPort => e.add('Abs', [x], {}, 'magnitude');

const infinity = (e: Expansion, sign: number): OutputPort => e.constant('f32', [], [sign * Infinity], 'infinity');

const signs = z.object({ detect_negative: bool.default(true), detect_positive: bool.default(true) });

export const classification: readonly OpDef[] = [
  define(
    'IsNaN',
    noAttributes,
    (x) => Number.isNaN(x),
    (x, _, e) => e.add('NotEqual', [x, x], {}, 'differs'),
  ),
  define(
    'IsFinite',
    noAttributes,
    (x) => Number.isFinite(x),
    (x, _, e) => e.add('Less', [magnitude(x, e), infinity(e, 1)], {}, 'below'),
  ),
  define(
    'IsInf',
    signs,
    (x, a) => (a.detect_positive && x === Infinity) || (a.detect_negative && x === -Infinity),
    (x, a, e) => {
      if (a.detect_positive && a.detect_negative) return e.add('Equal', [magnitude(x, e), infinity(e, 1)], {}, 'equal');
      if (a.detect_positive) return e.add('Equal', [x, infinity(e, 1)], {}, 'equal');
      // No float lies below.
      return e.add(a.detect_negative ? 'Equal' : 'Less', [x, infinity(e, -1)], {}, 'equal');
    },
  ),
];
