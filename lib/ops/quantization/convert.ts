// Convert and ConvertLike: change the element type.
import * as z from 'zod';
import type { Node } from '../../graph/node.ts';
import { programTypes } from '../../program/program.ts';
import { convert as convertTensor } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { elementCount } from '../../tensor/shape.ts';
import { elementType, noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { inputFact } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';

/** The kernel gives floats, and whole numbers of 32 and 64 bits, which it does not make of half precision. */
function canLowerConvert(from: ElementType, to: ElementType): boolean {
  return from === to || to === 'f32' || (from !== 'f16' && (to === 'i32' || to === 'i64'));
}

function lowerConvert(node: Node, context: LowerContext): void {
  const [from, to] = [node.source(0)!.fact.type, node.output.fact.type];
  const layout = context.layoutOf(node, 0);
  if (from === to || to === 'f32') {
    context.alias(node.output, node, 0, { from: layout, to: layout });
    return;
  }
  const operands = { in: [context.elements(node, 0, layout)], out: [context.place(node.output, layout)] };
  const elements = elementCount(node.output.fact.shape);
  context.builder.call('convert', { elements }, { name: node.name, ...operands });
}

/** Elements as `destination_type`: float to integer truncates and saturates, anything non-zero is boolean 1. */
export const convert = defineOp({
  type: 'Convert',
  opset: 'opset1',
  attributes: z.object({ destination_type: elementType }),
  inputs: [1, 1],
  strings: true,
  infer: (a, inputs) => [{ type: a.destination_type, shape: inputFact(inputs, 0).shape }],
  evaluate: (a, [x]) => [convertTensor(x!, a.destination_type)],
  lower: (_, node, context) => lowerConvert(node, context),
  canLower: (_, node) => canLowerConvert(node.source(0)!.fact.type, node.output.fact.type),
  runtime: { bytes: 'never', epilogue: 'none', types: { inputs: [programTypes], outputs: [programTypes] } },
});

/** Elements of input 0 with the type of input 1. */
export const convertLike = defineOp({
  type: 'ConvertLike',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [2, 2],
  infer: (_, inputs) => [{ type: inputFact(inputs, 1).type, shape: inputFact(inputs, 0).shape }],
  evaluate: (_, [x, like]) => [convertTensor(x!, like!.type)],
  expand: (_, node, e) => [
    e.add('Convert', [node.source(0)], { destination_type: node.output.fact.type }, 'converted'),
  ],
  quantization: { ascend: 'nonConstant' },
});
