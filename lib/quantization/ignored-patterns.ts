// Sub-graphs that stay in floating point: rounding there costs accuracy or time and saves nothing.
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import type { DevicePattern } from '../targets/target.ts';
import { consumersOf, isConstant, traitsOf } from './roles.ts';
import { type Match, matchAt, op, type Pattern, type PatternNode, same, withConstant } from './sub-graph-pattern.ts';

/** A pattern with the reason that people read. */
export interface IgnoredPattern {
  readonly name: string;
  readonly reason: string;
  readonly root: PatternNode;
  /** A further condition on a match. */
  readonly accepts?: (match: Match) => boolean;
}

const productTypes = 'Convolution|GroupConvolution|MatMul';
const weightedTypes = `${productTypes}|ConvolutionBackpropData|GroupConvolutionBackpropData`;
const activationTypes = 'ReLU|PReLU|Sigmoid|HSigmoid|HSwish|Swish|Mish|Gelu';
const eltwiseTypes =
  'Add|Multiply|Subtract|Divide|Less|LessEqual|Greater|GreaterEqual|Equal|NotEqual|FloorMod|LogicalOr|LogicalXor|LogicalAnd|Maximum|Minimum';

const border = { border: true };
const product = (): PatternNode => op(productTypes, [], border);
const biased = (input: Pattern, label?: string): PatternNode =>
  withConstant('Add', [input], label === undefined ? {} : { label });

function excitation(activation: string): PatternNode {
  const squeezed = op(productTypes, [op('ReduceMean', [], border)]);
  const expanded = op(productTypes, [op(activation, [biased(squeezed)])]);
  return op('Multiply', [op('Sigmoid', [biased(expanded)])], border);
}

/** `y · clamp(y + 3)` with y a biased product; the division by 6 is left to the caller. */
function hardSwish(): PatternNode {
  const y = biased(product(), 'y');
  return op('Multiply', [y, op('Clamp', [withConstant('Add', [same('y')])])]);
}

const hardSwishOfValue = op('Multiply', [
  op('Add|Multiply|ReduceMean|Squeeze', [], { border: true, label: 'x' }),
  withConstant('Multiply', [op('Clamp', [withConstant('Add', [same('x')])])]),
]);

/** What may stand between an input of the model and the arithmetic of its preprocessing. */
function inputPrefixes(): PatternNode[] {
  const parameter = (): PatternNode => op('Parameter', [], border);
  const transposed = (): PatternNode => op('Transpose', [parameter()]);
  const converted = (): PatternNode => op('Transpose', [op('Convert', [parameter()])]);
  const swapped = (input: PatternNode): PatternNode => op('Concat', [withConstant('Split', [input])]);
  return [parameter(), transposed(), converted(), swapped(parameter()), swapped(transposed()), swapped(converted())];
}

function inputPatterns(): PatternNode[] {
  const scaled = inputPrefixes().map((prefix) => withConstant('Add', [withConstant('Multiply', [prefix])]));
  const shifted = inputPrefixes().map((prefix) => withConstant('Add', [prefix]));
  const multiplied = inputPrefixes()
    .slice(0, 3)
    .map((prefix) => op('Multiply', [prefix]));
  return [...scaled, ...shifted, op('Subtract', [op('Parameter', [], border)]), ...multiplied];
}

const sensitive = 'it belongs to a block that loses much accuracy in 8 bits';
const biasReason = 'it adds a bias, which is kept in floating point because it costs nothing there';
const scaleShiftReason = 'it scales or shifts per channel, which merges with the operation before it';
const inputReason = 'it prepares the input of the model, whose values should not be rounded before they are scaled';
const attentionReason =
  'it belongs to a softmax or attention block, where small probabilities would be rounded to zero';

function softmaxPatterns(): IgnoredPattern[] {
  const exponents = (): PatternNode => op('Exp', [], { label: 'e' });
  const sum = (): PatternNode => withConstant('ReduceSum', [same('e')]);
  const roots: PatternNode[] = [
    op('Multiply', [exponents(), withConstant('Power', [sum()])]),
    op('Divide', [exponents(), sum()]),
    op('MatMul', [
      withConstant('Reshape', [op('SoftMax|Softmax')]),
      op('Transpose', [withConstant('Reshape', [op('Add')])]),
    ]),
    op('MatMul', [op('SoftMax|Softmax'), op('Reshape', [op('Transpose', [op('Reshape')])])]),
  ];
  return roots.map((root) => ({ name: 'softmax', reason: attentionReason, root }));
}

/** Ignored on every device. */
export const generalPatterns: readonly IgnoredPattern[] = [
  { name: 'swish', reason: 'it belongs to a Swish activation', root: op('Swish', [biased(product())]) },
  { name: 'squeezeExcitation', reason: sensitive, root: excitation('ReLU|PReLU') },
  { name: 'squeezeExcitation', reason: sensitive, root: excitation('Swish') },
  { name: 'bias', reason: biasReason, root: biased(op(weightedTypes, [], border)) },
  { name: 'scaleShift', reason: scaleShiftReason, root: withConstant('Add', [op('Multiply', [], border)]) },
  {
    name: 'scaleShift',
    reason: 'it scales and shifts an output of the model',
    root: op('Result', [withConstant('Add', [withConstant('Multiply', [op('Add', [], border)])])]),
  },
  {
    name: 'normalization',
    reason: scaleShiftReason,
    root: withConstant('Add', [withConstant('Multiply', [op('MVN', [], border)])]),
  },
  { name: 'normalization', reason: scaleShiftReason, root: op('Multiply', [op('NormalizeL2', [], border)]) },
  ...inputPatterns().map((root) => ({ name: 'input', reason: inputReason, root })),
  ...softmaxPatterns(),
  { name: 'hardSwish', reason: 'it belongs to a hard-swish activation', root: hardSwish() },
  { name: 'hardSwish', reason: 'it belongs to a hard-swish activation', root: withConstant('Multiply', [hardSwish()]) },
  { name: 'hardSwish', reason: 'it belongs to a hard-swish activation', root: hardSwishOfValue },
  {
    name: 'normalization',
    reason: scaleShiftReason,
    root: withConstant('Squeeze', [withConstant('Add', [withConstant('Multiply', [withConstant('Unsqueeze')])])]),
  },
  {
    name: 'batchIndex',
    reason: sensitive,
    root: op('Convolution', [
      op('Reshape', [
        withConstant('Concat', [
          op('Concat', [op('Unsqueeze', [op('Add', [withConstant('Multiply', [op('Multiply', [op('Subtract')])])])])]),
        ]),
      ]),
    ]),
  },
  ...['ExperimentalDetectronDetectionOutput', 'ExperimentalDetectronROIFeatureExtractor'].map((type) => ({
    name: 'detection',
    reason: 'it belongs to the detection part of the model, where box coordinates need full precision',
    root: withConstant('Add', [op(type)]),
  })),
  { name: 'comparison', reason: 'it belongs to a comparison', root: op('LogicalNot', [op('Equal')]) },
];

/** A product, optionally with bias, optionally with an activation: what a processor runs as one kernel. */
function fusedBases(): PatternNode[] {
  return [
    product(),
    op(activationTypes, [product()], border),
    withConstant('Add', [product()], border),
    op(activationTypes, [withConstant('Add', [product()], border)], border),
  ];
}

/** Every producer between the first marked operation and its product, that one included, has one consumer. */
function isUnbranched(match: Match): boolean {
  const first = [...match].findLast(([place]) => !place.isBorder)![1];
  for (let node = dataProducer(first); node; node = dataProducer(node)) {
    if (consumersOf(node).length > 1) return false;
    if (traitsOf(node).weights) return true;
  }
  return true;
}

function dataProducer(node: Node): Node | undefined {
  return node.inputs.find((i) => i.source && !isConstant(i.source))?.source?.node;
}

const fusedReason = 'it is computed together with the operation before it, without rounding in between';

/** Ignored on the devices that name them. */
export const devicePatterns: Readonly<Record<DevicePattern, readonly IgnoredPattern[]>> = {
  fusedScaleShift: fusedBases().map((base) => ({
    name: 'fusedScaleShift',
    reason: fusedReason,
    root: withConstant('Add', [withConstant('Multiply', [base])]),
    accepts: isUnbranched,
  })),
  fusedEltwise: fusedBases().map((base) => ({
    name: 'fusedEltwise',
    reason: fusedReason,
    root: withConstant(eltwiseTypes, [base]),
    accepts: isUnbranched,
  })),
  clampMultiply: [
    { name: 'clampMultiply', reason: 'it scales a clamped value', root: withConstant('Multiply', [op('Clamp')]) },
  ],
  selfAttentionGather: [
    {
      name: 'selfAttention',
      reason: attentionReason,
      root: op('MatMul', [
        op('SoftMax|Softmax'),
        op('Gather', [op('Transpose', [withConstant('Reshape', [op('Add')])])]),
      ]),
    },
  ],
  selfAttention: [
    {
      name: 'selfAttention',
      reason: attentionReason,
      root: op('MatMul', [op('SoftMax|Softmax'), op('Transpose', [withConstant('Reshape', [op('Add')])])]),
    },
  ],
  assignResult: [
    {
      name: 'assignResult',
      reason: 'it only ends the writing of a variable',
      root: op('Result', [op('Assign', [], border)]),
    },
  ],
};

/** Their inputs are box coordinates and scores. */
const detectionEnds = new Set(['NonMaxSuppression', 'TopK']);

/** Every node that one of the patterns keeps in floating point, with the reason. */
export function matchIgnoredPatterns(model: Model, patterns: readonly IgnoredPattern[]): Map<Node, string> {
  const marked = new Map<Node, string>();
  for (const node of model.nodes()) {
    for (const pattern of patterns) {
      const match = matchAt(pattern.root, node);
      if (!match || (pattern.accepts && !pattern.accepts(match))) continue;
      for (const [place, found] of match) if (!place.isBorder && !marked.has(found)) marked.set(found, pattern.reason);
    }
  }
  return marked;
}

/** Nodes between the last weighted operations and the selection of detections. */
export function detectionTails(model: Model): Map<Node, string> {
  const marked = new Map<Node, string>();
  const stack = model
    .nodes()
    .filter((n) => detectionEnds.has(n.type))
    .flatMap((n) => n.inputs.map((i) => i.source?.node));
  while (stack.length > 0) {
    const node = stack.pop();
    if (!node || marked.has(node) || node.type === 'Constant' || traitsOf(node).weights) continue;
    marked.set(node, 'it leads to the selection of detections, where coordinates and scores need full precision');
    for (const input of node.inputs) stack.push(input.source?.node);
  }
  return marked;
}
