/** A tensor of the file as a constant of the model, in the type that the model computes with. */
import { addConstant } from '../../../graph/edit.ts';
import type { Model } from '../../../graph/model.ts';
import type { OutputPort } from '../../../graph/node.ts';
import { createNode } from '../../../ops/create-node.ts';
import { convert } from '../../../tensor/convert.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { computeType } from '../data-types.ts';

/**
 * Adds a constant. Half floats of rank 2 and more stay as they are, behind a Convert to f32 that is marked as
 * decompression, so that a float16 model takes no more memory than its file; smaller ones and doubles are converted.
 */
export function addTensor(model: Model, name: string, value: Tensor): OutputPort {
  const type = computeType(value.type);
  if (type === value.type) return addConstant(model, name, value).output;
  if (value.type === 'f64' || value.shape.length < 2) return addConstant(model, name, convert(value, type)).output;
  const stored = addConstant(model, `${name}/compressed`, value).output;
  return createNode(model, {
    type: 'Convert',
    name,
    attributes: { destination_type: type },
    inputs: [stored],
    notes: { rtInfo: [{ name: 'decompression', version: '0' }] },
  }).output;
}
