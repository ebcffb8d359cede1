// Select: takes each element from one of two operands.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64 } from '../../tensor/convert.ts';
import { autoBroadcast } from '../attribute.ts';
import { broadcastBy, expandTensor, requireOneWay } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, inputFact } from '../fact.ts';

const attributes = z.object({ auto_broadcast: autoBroadcast });

function infer(a: z.infer<typeof attributes>, inputs: Facts) {
  const [condition, x, y] = [inputFact(inputs, 0), inputFact(inputs, 1), inputFact(inputs, 2)];
  if (condition.type !== 'boolean') {
    throw new LowpError('ERR_TYPE_MISMATCH', `the condition has type ${condition.type}, expected boolean`);
  }
  const shape = broadcastBy(a, x.shape, y.shape);
  if (a.auto_broadcast !== 'numpy') {
    requireOneWay(condition.shape, shape);
    return [{ type: commonType(x, y), shape }];
  }
  return [{ type: commonType(x, y), shape: broadcastBy(a, condition.shape, shape) }];
}

/** `condition ? x : y` for each element; the three inputs broadcast. */
export const select = defineOp({
  type: 'Select',
  opset: 'opset1',
  attributes,
  inputs: [3, 3],
  infer,
  evaluate: (a, [condition, x, y]) => {
    const { type, shape } = infer(a, [condition, x, y])[0]!;
    const [c, u, v] = [expandTensor(condition!, shape), expandTensor(x!, shape), expandTensor(y!, shape)];
    const out = new Float64Array(c.length);
    for (let i = 0; i < out.length; i++) out[i] = c[i] === 0 ? v[i]! : u[i]!;
    return [fromFloat64(out, shape, type)];
  },
});
