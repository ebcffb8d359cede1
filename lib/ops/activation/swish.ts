// Swish: x weighted with its logistic function.
import { LowpError } from '../../errors/lowp-error.ts';
import { constantOf, type Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, isStatic } from '../../tensor/shape.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { lowerUnary } from '../elementwise/lower-unary.ts';
import { mapValues } from '../elementwise/pointwise.ts';
import { inputFact } from '../fact.ts';
import { logistic } from './sigmoid.ts';

/** Undefined when it is computed at run time. */
function betaOf(node: Node): number | undefined {
  if (!node.source(1)) return 1;
  const value = constantOf(node.source(1));
  return value && toFloat64(value)[0];
}

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
  lower: (_, node, context) => lowerUnary(node, context, 'swish', 0, betaOf(node)!),
  canLower: (_, node) => betaOf(node) !== undefined,
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
