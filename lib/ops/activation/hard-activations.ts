// Piecewise-linear stand-ins for Sigmoid and Swish: HSigmoid, HSwish, HardSigmoid.
import { constantOf } from '../../graph/node.ts';
import { fromFloat64, toFloat32, toFloat64 } from '../../tensor/convert.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { lowerUnary } from '../elementwise/lower-unary.ts';
import { definePointwise, mapValues } from '../elementwise/pointwise.ts';
import { inputFact } from '../fact.ts';

/** min(max(x + 3, 0), 6) / 6. */
export const hSigmoid = definePointwise({
  type: 'HSigmoid',
  opset: 'opset5',
  attributes: noAttributes,
  function: () => (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
  kernel: () => ['hsigmoid'],
});

/** x · min(max(x + 3, 0), 6) / 6. */
export const hSwish = definePointwise({
  type: 'HSwish',
  opset: 'opset4',
  attributes: noAttributes,
  function: () => (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  kernel: () => ['hswish'],
});

/** max(0, min(1, alpha · x + beta)); alpha and beta are inputs of one element. */
export const hardSigmoid = defineOp({
  type: 'HardSigmoid',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [3, 3],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape }];
  },
  evaluate: (_, [x, alpha, beta]) => {
    const [a, b] = [toFloat64(alpha!)[0]!, toFloat64(beta!)[0]!];
    const out = mapValues(toFloat64(x!), (v) => Math.max(0, Math.min(1, a * v + b)));
    return [fromFloat64(out, x!.shape, x!.type)];
  },
  canLower: (_, node) => [1, 2].every((i) => constantOf(node.source(i)) !== undefined),
  lower: (_, node, context) => {
    const [alpha, beta] = [1, 2].map((i) => toFloat32(constantOf(node.source(i))!)[0]!);
    lowerUnary(node, context, 'hardSigmoid', alpha, beta);
  },
  runtime: { bytes: 'never', epilogue: 'affine', storesBytes: true },
});
