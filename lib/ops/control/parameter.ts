// Parameter: an input of the model.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { hasRank, unknownRank } from '../../tensor/shape.ts';
import { elementType, intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';

/** A declared shape; -1 marks a dynamic dimension, `?` in IR files, and `...` there an unknown rank. */
export const shapeText = z.preprocess((v) => (typeof v === 'string' ? dimensions(v) : v), intList);

const attributes = z.object({
  element_type: elementType.default('f32'),
  shape: shapeText.default([]),
});

/** `1,3,?,2..8` → sizes; every dimension that is not one number is dynamic. `...` is no list of dimensions. */
function dimensions(text: string): unknown {
  const inner = text.trim().replace(/^\[|\]$/g, '');
  if (inner === '') return [];
  if (inner === '...') return [...unknownRank];
  return inner.split(',').map((word) => {
    if (/^\s*(\?|\d*\.\.\d*)\s*$/.test(word)) return -1;
    return Number(word) < -1 ? Number.NaN : word;
  });
}

/** Its attributes are the type and shape that the model declares; its value comes from the caller. */
export const parameter = defineOp({
  type: 'Parameter',
  opset: 'opset1',
  attributes,
  inputs: [0, 0],
  infer: (a) => {
    if (!hasRank(a.shape)) return [{ type: a.element_type, shape: unknownRank }];
    if (a.shape.some((d) => d < -1)) {
      throw new LowpError('ERR_OP_ATTRIBUTE', `shape ${a.shape.join(',')}: a size cannot be negative`);
    }
    return [{ type: a.element_type, shape: a.shape }];
  },
});
