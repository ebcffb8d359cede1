// Result: an output of the model.
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { inputFact } from '../fact.ts';

/** Passes its input to the caller. Its output port exists for names only. */
export const result = defineOp({
  type: 'Result',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [1, 1],
  strings: true,
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape }];
  },
  evaluate: (_, [x]) => [x!],
  quantization: { quantizedPorts: [0] },
});
