// ShapeOf, both revisions: the sizes of a tensor.
import * as z from 'zod';
import type { Fact } from '../../graph/node.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { isStatic } from '../../tensor/shape.ts';
import { tensor } from '../../tensor/tensor.ts';
import { elementType, noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact } from '../fact.ts';

/** The value is known as soon as the shape is static, whatever the data. */
function infer(type: ElementType, inputs: Facts): Fact[] {
  const { shape } = inputFact(inputs, 0);
  const fact = { type, shape: [shape.length] };
  return [isStatic(shape) ? { ...fact, value: tensor(type, [shape.length], shape) } : fact];
}

/** Sizes as i64. */
export const shapeOf1 = defineOp({
  type: 'ShapeOf',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [1, 1],
  strings: true,
  infer: (_, inputs) => infer('i64', inputs),
  evaluate: (_, [x]) => [tensor('i64', [x!.shape.length], x!.shape)],
});

/** Sizes as `output_type`. */
export const shapeOf3 = defineOp({
  type: 'ShapeOf',
  opset: 'opset3',
  attributes: z.object({ output_type: elementType.default('i64') }),
  inputs: [1, 1],
  strings: true,
  infer: (a, inputs) => infer(a.output_type, inputs),
  evaluate: (a, [x]) => [tensor(a.output_type, [x!.shape.length], x!.shape)],
});
