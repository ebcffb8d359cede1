// Convert and ConvertLike: change the element type.
import * as z from 'zod';
import { programTypes } from '../../program/program.ts';
import { convert as convertTensor } from '../../tensor/convert.ts';
import { elementType, noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { inputFact } from '../fact.ts';

/** Elements as `destination_type`: float to integer truncates and saturates, anything non-zero is boolean 1. */
export const convert = defineOp({
  type: 'Convert',
  opset: 'opset1',
  attributes: z.object({ destination_type: elementType }),
  inputs: [1, 1],
  infer: (a, inputs) => [{ type: a.destination_type, shape: inputFact(inputs, 0).shape }],
  evaluate: (a, [x]) => [convertTensor(x!, a.destination_type)],
  // Programs turn everything that they are fed into floats.
  lower: (_, node, context) => context.alias(node.output, node, 0, { from: 'plain', to: 'plain' }),
  canLower: (a) => a.destination_type === 'f32',
  runtime: { bytes: 'never', epilogue: 'none', inputTypes: programTypes },
});

/** Elements of input 0 with the type of input 1. */
export const convertLike = defineOp({
  type: 'ConvertLike',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [2, 2],
  infer: (_, inputs) => [{ type: inputFact(inputs, 1).type, shape: inputFact(inputs, 0).shape }],
  evaluate: (_, [x, like]) => [convertTensor(x!, like!.type)],
  quantization: { ascend: 'nonConstant' },
});
