// Concat: joins tensors along one axis.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node } from '../../graph/node.ts';
import { elementCount, formatShape, normalizeAxis } from '../../tensor/shape.ts';
import { int } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { lowerConcat, moveRuntime } from './lower.ts';
import { interleave } from './take.ts';

const attributes = z.object({ axis: int });

function infer(a: z.infer<typeof attributes>, inputs: Facts) {
  const parts = inputs.filter((f): f is Fact => f !== undefined);
  const type = commonType(...parts);
  const shape = [...parts[0]!.shape];
  const axis = normalizeAxis(a.axis, shape.length);
  for (const part of parts.slice(1)) {
    const fits =
      part.shape.length === shape.length &&
      part.shape.every((d, i) => i === axis || d === shape[i] || d < 0 || shape[i]! < 0);
    if (!fits) {
      const [first, second] = [formatShape(parts[0]!.shape), formatShape(part.shape)];
      throw new LowpError('ERR_SHAPE_MISMATCH', `${first} and ${second} cannot be joined along axis ${axis}`);
    }
    for (const [i, d] of part.shape.entries()) if (i !== axis) shape[i] = Math.max(shape[i]!, d);
  }
  const sizes = parts.map((p) => p.shape[axis]!);
  shape[axis] = sizes.includes(-1) ? -1 : sizes.reduce((x, y) => x + y, 0);
  return [{ type, shape }];
}

/** All inputs one after the other along `axis`; their other sizes are equal. */
export const concat = defineOp({
  type: 'Concat',
  opset: 'opset1',
  attributes,
  inputs: [1, Number.POSITIVE_INFINITY],
  strings: true,
  infer,
  evaluate: (a, inputs) => {
    const { shape } = infer(a, inputs)[0]!;
    return [interleave(inputs, elementCount(shape.slice(0, normalizeAxis(a.axis, shape.length))), shape)];
  },
  lower: (a, node: Node, context: LowerContext) =>
    lowerConcat(node, context, normalizeAxis(a.axis, node.output.fact.shape.length)),
  runtime: {
    ...moveRuntime,
    joins: (node) => normalizeAxis(Number(node.attributes.axis), node.output.fact.shape.length),
  },
  quantization: { ascend: 'all', unifiesScales: true },
});
