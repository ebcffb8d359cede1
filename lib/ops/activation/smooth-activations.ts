// Activations without parameters that are rare in this field: SoftPlus, SoftSign, Mish, Selu.
import { constantOf } from '../../graph/node.ts';
import { fromFloat64, toFloat32, toFloat64 } from '../../tensor/convert.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { lowerUnary } from '../elementwise/lower-unary.ts';
import { definePointwise, mapValues } from '../elementwise/pointwise.ts';
import { inputFact } from '../fact.ts';

/** ln(1 + e^x), without overflow. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const softPlus = definePointwise({
  type: 'SoftPlus',
  opset: 'opset4',
  attributes: noAttributes,
  function: () => softplus,
  kernel: () => ['softplus'],
});

/** x / (1 + |x|). */
export const softSign = definePointwise({
  type: 'SoftSign',
  opset: 'opset9',
  attributes: noAttributes,
  function: () => (x) => x / (1 + Math.abs(x)),
  kernel: () => ['softSign'],
  quantization: { quantizedPorts: [0] },
});

/** x · tanh(ln(1 + e^x)). */
export const mish = definePointwise({
  type: 'Mish',
  opset: 'opset4',
  attributes: noAttributes,
  function: () => (x) => x * Math.tanh(softplus(x)),
  kernel: () => ['mish'],
});

/** lambda · (x > 0 ? x : alpha · (e^x − 1)); alpha and lambda are inputs of one element. */
export const selu = defineOp({
  type: 'Selu',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [3, 3],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape }];
  },
  evaluate: (_, [x, alpha, lambda]) => {
    const [a, l] = [toFloat64(alpha!)[0]!, toFloat64(lambda!)[0]!];
    const out = mapValues(toFloat64(x!), (v) => l * (v > 0 ? v : a * Math.expm1(v)));
    return [fromFloat64(out, x!.shape, x!.type)];
  },
  canLower: (_, node) => [1, 2].every((i) => constantOf(node.source(i)) !== undefined),
  lower: (_, node, context) => {
    const [alpha, lambda] = [1, 2].map((i) => toFloat32(constantOf(node.source(i))!)[0]!);
    lowerUnary(node, context, 'selu', alpha, lambda);
  },
  runtime: { bytes: 'never', epilogue: 'affine', storesBytes: true },
});
