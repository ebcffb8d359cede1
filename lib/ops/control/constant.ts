// Constant: a value stored in the model.
import * as z from 'zod';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineOp } from '../define-op.ts';

const attributes = z.object({
  value: z.custom<Tensor>(
    (v) => typeof v === 'object' && v !== null && 'type' in v && 'shape' in v && 'data' in v,
    'a tensor is expected',
  ),
});

/** `Const` in IR files. The attribute `value` is the tensor itself. */
export const constant = defineOp({
  type: 'Constant',
  opset: 'opset1',
  attributes,
  inputs: [0, 0],
  infer: (a) => [{ type: a.value.type, shape: a.value.shape, value: a.value }],
  evaluate: (a) => [a.value],
});
