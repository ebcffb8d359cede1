// Swish: x weighted with its logistic function.
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, isStatic } from '../../tensor/shape.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { mapValues } from '../elementwise/pointwise.ts';
import { inputFact } from '../fact.ts';
import { logistic } from './sigmoid.ts';

/** x · sigmoid(beta · x); the optional input beta is one number, 1 when absent. */
export const swish = defineOp({
  type: 'Swish',
  opset: 'opset4',
  attributes: noAttributes,
  inputs: [1, 2],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    const beta = inputs[1];
    if (beta && isStatic(beta.shape) && elementCount(beta.shape) !== 1) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `beta has ${elementCount(beta.shape)} elements, expected 1`);
    }
    return [{ type, shape }];
  },
  evaluate: (_, [x, beta]) => {
    const b = beta ? toFloat64(beta)[0]! : 1;
    return [
      fromFloat64(
        mapValues(toFloat64(x!), (v) => v * logistic(b * v)),
        x!.shape,
        x!.type,
      ),
    ];
  },
});
