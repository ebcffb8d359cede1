/** Products of ONNX Runtime (`com.microsoft`) that have an activation, a sum or transposes of their own. */
import type { OutputPort } from '../../../graph/node.ts';
import { convolved } from './convolution.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { inDomain } from './in-domain.ts';
import { linearImporters } from './linear.ts';

export const fusedImporters: ImporterTable = inDomain('com.microsoft', {
  FusedMatMul: (n) => [fusedProduct(n)],
  TransposeMatMul: (n) => [fusedProduct(n)],
  FusedMatMulActivation: (n) => [activated(n, fusedProduct(n), [undefined, undefined])],
  FusedGemm: fusedGemm,
  FusedConv: (n) => [fusedConvolution(n)],
  GemmFastGelu: gemmFastGelu,
});

/** `alpha · op(A) · op(B)`. */
function fusedProduct(n: ImportNode): OutputPort {
  if (n.attributes.flag('transBatchA') || n.attributes.flag('transBatchB')) n.unsupported('transposed batches');
  const transposes = { transpose_a: n.attributes.flag('transA'), transpose_b: n.attributes.flag('transB') };
  const result = n.step('MatMul', [n.input(0), n.input(1)], transposes);
  const alpha = n.attributes.float('alpha') ?? 1;
  return alpha === 1 ? result : n.with('Multiply', result, alpha);
}

function fusedGemm(n: ImportNode): OutputPort[] {
  const [product] = linearImporters.Gemm!(n);
  return [activated(n, product!, [undefined, undefined])];
}

/** A product, an optional bias, and a Gelu by tanh. */
function gemmFastGelu(n: ImportNode): OutputPort[] {
  const product = n.step('MatMul', [n.input(0), n.input(1)]);
  const bias = n.optional(2);
  return [n.step('Gelu', [bias ? n.step('Add', [product, bias]) : product], { approximation_mode: 'tanh' })];
}

/** Conv, an optional sum with input 3, and an activation. */
export function fusedConvolution(n: ImportNode): OutputPort {
  const product = convolved(n, n.input(0), n.input(1), n.optional(2));
  const other = n.optional(3);
  const [a, b] = n.attributes.floats('activation_params') ?? [];
  return activated(n, other ? n.step('Add', [product, other]) : product, [a, b]);
}

type Parameters = readonly [number | undefined, number | undefined];

/** Activations by their name in ONNX; parameters that are absent are those of the operator of that name. */
const activations: Readonly<Record<string, (n: ImportNode, x: OutputPort, p: Parameters) => OutputPort>> = {
  '': (_, x) => x,
  Relu: (n, x) => n.step('ReLU', [x]),
  Sigmoid: (n, x) => n.step('Sigmoid', [x]),
  Tanh: (n, x) => n.step('Tanh', [x]),
  Softplus: (n, x) => n.step('SoftPlus', [x]),
  Softsign: (n, x) => n.step('SoftSign', [x]),
  LeakyRelu: (n, x, [a = 0.01]) => n.step('PReLU', [x, n.scalar('f32', a, 'slope')]),
  Elu: (n, x, [a = 1]) => n.step('Elu', [x], { alpha: a }),
  HardSigmoid: (n, x, [a = 0.2, b = 0.5]) =>
    n.step('HardSigmoid', [x, n.scalar('f32', a, 'alpha'), n.scalar('f32', b, 'beta')]),
  ScaledTanh: (n, x, [a = 1, b = 1]) => n.with('Multiply', n.step('Tanh', [n.with('Multiply', x, b)]), a),
  ThresholdedRelu: (n, x, [a = 1]) => n.step('Select', [n.with('Greater', x, a), x, n.scalar('f32', 0, 'zero')]),
  Clip: (n, x, [a = -3.4028234663852886e38, b = 3.4028234663852886e38]) => n.step('Clamp', [x], { min: a, max: b }),
};

/**
 * The activation that the attribute `activation` names.
 *
 * @param parameters  its numbers; those of `activation_alpha` and `activation_beta` where they are absent
 */
function activated(n: ImportNode, x: OutputPort, parameters: Parameters): OutputPort {
  const name = n.attributes.string('activation') ?? '';
  const activation = Object.hasOwn(activations, name) ? activations[name] : undefined;
  if (!activation) return n.attributes.fail('activation', `is ${JSON.stringify(name)}`);
  const [a, b] = parameters;
  return activation(n, x, [a ?? n.attributes.float('activation_alpha'), b ?? n.attributes.float('activation_beta')]);
}
