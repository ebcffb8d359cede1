// Fuse batch normalization: scales and shifts behind a product go into its weights and its bias.
import { addConstant, giveConstant, removeNode } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import { constantOf, type Node, type OutputPort } from '../graph/node.ts';
import { commutative, constant, type Match, op } from '../graph/pattern.ts';
import { takeOver } from '../graph/take-over.ts';
import { expandValues } from '../ops/broadcast.ts';
import { createNode } from '../ops/create-node.ts';
import { fromFloat64, toFloat64 } from '../tensor/convert.ts';
import type { Shape } from '../tensor/shape.ts';
import { hasPlainWeights, perChannel, productTypes, weightChannelShape } from './channels.ts';
import { definePass, defineRewrite, repeatPasses } from './pass.ts';

/** BatchNormInference with constant parameters becomes Multiply and Add: `x · γ/√(σ² + ε) + (β − μ · γ/√(σ² + ε))`. */
const splitBatchNorm = definePass({
  name: 'split-batch-norm',
  run: (model) => model.nodes().filter((n) => n.type === 'BatchNormInference' && split(model, n)).length,
});

function split(model: Model, node: Node): boolean {
  const at = node.inputs.findIndex((i) => (i.source?.fact.shape.length ?? 0) > 1);
  const parameters = node.inputs.filter((_, i) => i !== at).map((i) => constantOf(i.source));
  if (at < 0 || node.output.fact.type !== 'f32' || !parameters.every((p) => p !== undefined)) return false;
  const [gamma, beta, mean, variance] = parameters.map((p) => toFloat64(p)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const epsilon = Number(node.attributes.epsilon);
  const scale = gamma.map((g, c) => g / Math.sqrt(variance[c]! + epsilon));
  const shift = beta.map((b, c) => b - mean[c]! * scale[c]!);
  const data = node.source(at)!;
  const shape = data.fact.shape.map((_, i) => (i === 1 ? scale.length : 1));
  const product = withConstant(model, 'Multiply', `${node.name}/scale`, data, scale, shape);
  const sum = withConstant(model, 'Add', `${node.name}/shift`, product.output, shift, shape);
  takeOver(node.output, sum.output);
  removeNode(model, node);
  return true;
}

function withConstant(
  model: Model,
  type: string,
  name: string,
  data: OutputPort,
  values: Float64Array,
  shape: Shape,
): Node {
  const operand = addConstant(model, `${name}/value`, fromFloat64(values, shape, 'f32'));
  return createNode(model, { type, name, inputs: [data, operand.output] });
}

const product = op(productTypes).where(hasPlainWeights).single();

/** `product(x, w) · s → product(x, w · s)` for one number per output channel. */
const scaleWeights = defineRewrite({
  name: 'scale-weights',
  pattern: commutative('Multiply', product.as('product'), constant().as('scale')),
  rewrite(match, model) {
    const node = match.node('product');
    const scale = perChannel(node, match.value('scale'));
    if (!scale?.every(Number.isFinite)) return false;
    scaleWeightsOf(model, node, scale);
    takeOver(match.root.output, node.output);
    removeNode(model, match.root);
    return true;
  },
});

function scaleWeightsOf(model: Model, node: Node, scale: Float64Array): void {
  const weights = constantOf(node.source(1))!;
  const values = toFloat64(weights);
  const factors = expandValues(scale, weightChannelShape(node, weights.shape), weights.shape);
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * factors[i]!;
  giveConstant(model, node.inputs[1]!, fromFloat64(values, weights.shape, 'f32'));
}

/** `(product + b) · s → product · s + b · s`, so that the scale can go into the weights. */
const scaleBias = defineRewrite({
  name: 'scale-bias',
  pattern: commutative(
    'Multiply',
    commutative('Add', product.as('product'), constant().as('bias')).single().as('sum'),
    constant().as('scale'),
  ),
  rewrite(match, model) {
    const node = match.node('product');
    const [bias, scale] = [perChannel(node, match.value('bias')), perChannel(node, match.value('scale'))];
    if (!bias || !scale?.every(Number.isFinite)) return false;
    const shape = channelShape(match, node);
    const values = bias.map((b, c) => b * scale[c]!);
    scaleWeightsOf(model, node, scale);
    const sum = match.node('sum');
    giveConstant(model, sum.inputs[sum.source(0) === match.port('bias') ? 0 : 1]!, fromFloat64(values, shape, 'f32'));
    node.output.names = [];
    takeOver(match.root.output, sum.output);
    removeNode(model, match.root);
    return true;
  },
});

/** One number per channel, in the rank of the output: of the operand that has them, else of the output's channel axis. */
function channelShape(match: Match, node: Node): number[] {
  const rank = node.output.fact.shape.length;
  const channels = perChannel(node, match.value('bias'))!.length;
  const axis = node.type === 'MatMul' ? rank - 1 : 1;
  return Array.from({ length: rank }, (_, i) => (i === axis ? channels : 1));
}

/**
 * BatchNormInference, and Multiply by constants behind a Convolution, GroupConvolution, transposed convolution or MatMul
 * with constant f32 weights, go into weights and bias. What cannot be fused becomes Multiply and Add.
 *
 * A product that anybody else reads, quantized weights, and constants that vary along other axes than the output
 * channels are left alone. Products are rounded once more to f32 than before.
 */
export const fuseBatchNorm = repeatPasses('fuse-batch-norm', [splitBatchNorm, scaleWeights, scaleBias]);
