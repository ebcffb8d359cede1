// OneHot: marks the position that each index names.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { elementCount, isStatic, normalizeAxis } from '../../tensor/shape.ts';
import { int } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { commonType, type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';

const attributes = z.object({ axis: int });

function infer(a: z.infer<typeof attributes>, inputs: Facts) {
  const [indices, depth, on, off] = [0, 1, 2, 3].map((i) => inputFact(inputs, i));
  const size = knownIntegers(depth)?.[0] ?? -1;
  if (knownIntegers(depth) && size < 1)
    throw new LowpError('ERR_OP_INPUTS', `the depth is ${size}, expected at least 1`);
  const axis = normalizeAxis(a.axis, indices!.shape.length + 1);
  return [{ type: commonType(on!, off!), shape: indices!.shape.toSpliced(axis, 0, size) }];
}

/** Each position of the new axis is compared with the index, and one of the two values is chosen. */
function expand(a: z.infer<typeof attributes>, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const [indices, , on, off] = [0, 1, 2, 3].map((i) => node.source(i)!);
  const { type, shape } = indices!.fact;
  const out = node.output.fact.shape;
  if (!isStatic(out) || (type !== 'i32' && type !== 'i64')) return undefined;
  const axis = normalizeAxis(a.axis, out.length);
  const places = Array.from({ length: out[axis]! }, (_, i) => i);
  const list = e.constant(type, [places.length, ...shape.slice(axis).map(() => 1)], places, 'places');
  const index = e.reshape(indices!, shape.toSpliced(axis, 0, 1), 'indices');
  return [e.add('Select', [e.add('Equal', [index, list], {}, 'marks'), on, off], {}, 'values')];
}

/**
 * A new axis of `depth` elements: `on` at the index, `off` elsewhere. An index outside of the axis marks nothing.
 *
 * Inputs: indices, depth, on value, off value.
 */
export const oneHot = defineOp({
  type: 'OneHot',
  opset: 'opset1',
  attributes,
  inputs: [4, 4],
  infer,
  evaluate: (a, inputs) => {
    const [indices, , on, off] = inputs;
    const { type, shape } = infer(a, factsOf(inputs))[0]!;
    const axis = normalizeAxis(a.axis, shape.length);
    const depth = shape[axis]!;
    const inner = elementCount(shape.slice(axis + 1));
    const out = new Float64Array(elementCount(shape)).fill(toFloat64(off!)[0]!);
    const mark = toFloat64(on!)[0]!;
    for (const [i, index] of toIntegers(indices!).entries()) {
      if (index < 0 || index >= depth) continue;
      out[(Math.floor(i / inner) * depth + index) * inner + (i % inner)] = mark;
    }
    return [fromFloat64(out, shape, type)];
  },
  expand,
});
