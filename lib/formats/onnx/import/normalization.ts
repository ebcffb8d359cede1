/** BatchNormalization, InstanceNormalization, LayerNormalization and LRN. */
import type { OutputPort } from '../../../graph/node.ts';
import { formatShape, normalizeAxis } from '../../../tensor/shape.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const normalizationImporters: ImporterTable = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LRN: lrn,
  GroupNormalization: groupNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  RMSNormalization: (n) => [rootMeanSquare(n, n.input(0), n.input(1))],
  LpNormalization: lpNormalization,
};

function batchNormalization(n: ImportNode): OutputPort[] {
  if (n.attributes.flag('training_mode') || n.outputNames.slice(1).some((name) => name !== '')) {
    n.unsupported('it is in training mode; export the model for inference');
  }
  if (!n.attributes.flag('spatial', true)) n.unsupported('spatial = 0');
  const channels = n.input(0).fact.shape[1];
  for (let i = 1; i < 5; i++) {
    const { shape } = n.input(i).fact;
    if (shape.length !== 1 || (channels !== undefined && channels >= 0 && shape[0] !== channels)) {
      n.invalid(`its input ${i} is ${formatShape(shape)}, expected one number for each of ${channels} channels`);
    }
  }
  const epsilon = n.attributes.float('epsilon') ?? 1e-5;
  return [n.add('BatchNormInference', { epsilon }, n.allInputs().slice(0, 5))];
}

/** `scale · (x - mean) / sqrt(variance + epsilon) + bias` over the spatial axes. */
function instanceNormalization(n: ImportNode): OutputPort[] {
  const rank = n.rank(0);
  if (rank < 3) n.invalid(`its input has rank ${rank}, expected at least 3`);
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const channels = n.input(0).fact.shape[1]!;
  const column = Array.from({ length: rank }, (_, i) => (i === 1 ? channels : 1));
  const scale = n.reshaped(n.input(1), column, 'scale');
  return [standardized(n, axes, scale, n.reshaped(n.input(2), column, 'bias'))];
}

/** Of the axes from `axis` on, the last one by default; the mean and the deviation only where they are read. */
export function layerNormalization(n: ImportNode): OutputPort[] {
  const rank = n.rank(0);
  const axis = normalizeAxis(n.attributes.int('axis') ?? -1, rank);
  const axes = Array.from({ length: rank - axis }, (_, i) => axis + i);
  const [mean, deviation] = n.outputNames.slice(1);
  const normal = standardized(n, axes, n.input(1), n.optional(2));
  if (!mean && !deviation) return [normal];
  return [normal, ...moments(n, n.input(0), axes, n.attributes.float('epsilon') ?? 1e-5)];
}

/** The mean, and `1 / sqrt(variance + epsilon)`. */
export function moments(n: ImportNode, x: OutputPort, axes: readonly number[], epsilon: number): OutputPort[] {
  const list = n.indices(axes, 'axes');
  const mean = n.step('ReduceMean', [x, list], { keep_dims: true });
  const centred = n.step('Subtract', [x, mean]);
  const variance = n.step('ReduceMean', [n.step('Multiply', [centred, centred]), list], { keep_dims: true });
  return [mean, n.step('Divide', [n.scalar('f32', 1, 'one'), n.step('Sqrt', [n.with('Add', variance, epsilon)])])];
}

/** Channels in groups, each standardized; scales and biases belong to groups before opset 21, to channels since. */
function groupNormalization(n: ImportNode): OutputPort[] {
  const x = n.input(0);
  const rank = n.rank(0);
  const groups = n.attributes.int('num_groups') ?? n.attributes.fail('num_groups', 'is missing');
  const channels = x.fact.shape[1]!;
  if (rank < 3 || channels < 0 || groups < 1 || channels % groups !== 0) {
    n.invalid(`it cuts the channels of ${formatShape(x.fact.shape)} into ${groups} groups`);
  }
  const split = n.step('Reshape', [x, n.indices([0, groups, -1], 'groups')], { special_zero: true });
  const attributes = { normalize_variance: true, eps: n.attributes.float('epsilon') ?? 1e-5, eps_mode: 'inside_sqrt' };
  const normal = n.step('MVN', [split, n.indices([2], 'axes')], attributes);
  const whole = n.step('Reshape', [normal, n.shapeOf(x)], { special_zero: false });
  const column = Array.from({ length: rank }, (_, i) => (i === 1 ? channels : 1));
  const perChannel = (at: number, name: string): OutputPort => {
    const given = n.input(at);
    if (n.opset >= 21 || groups === channels) return n.reshaped(given, column, name);
    const wide = n.step('Unsqueeze', [given, n.indices([1], 'axes')]);
    const target = n.indices([groups, channels / groups], 'channels');
    return n.reshaped(n.step('Broadcast', [wide, target], { mode: 'numpy' }), column, name);
  };
  return [n.step('Add', [n.step('Multiply', [whole, perChannel(1, 'scale')]), perChannel(2, 'bias')])];
}

function meanVarianceNormalization(n: ImportNode): OutputPort[] {
  const axes = n.attributes.ints('axes') ?? [0, 2, 3];
  const attributes = { normalize_variance: true, eps: 1e-9, eps_mode: 'outside_sqrt' };
  return [n.add('MVN', attributes, [n.input(0), n.indices(axes, 'axes')])];
}

/** `x / sqrt(mean(x²) + epsilon) · scale` over the axes from `axis` on. */
export function rootMeanSquare(
  n: ImportNode,
  x: OutputPort,
  scale: OutputPort,
  epsilon = n.attributes.float('epsilon') ?? 1e-5,
): OutputPort {
  const rank = x.fact.shape.length;
  const axis = normalizeAxis(n.attributes.int('axis') ?? -1, rank);
  const axes = n.indices(
    Array.from({ length: rank - axis }, (_, i) => axis + i),
    'axes',
  );
  const mean = n.step('ReduceMean', [n.step('Multiply', [x, x]), axes], { keep_dims: true });
  const root = n.step('Sqrt', [n.with('Add', mean, epsilon)]);
  return n.step('Multiply', [n.step('Divide', [x, root]), scale]);
}

/** `x / norm(x)` along an axis; lines of zeros stay. */
function lpNormalization(n: ImportNode): OutputPort[] {
  const x = n.input(0);
  const p = n.attributes.int('p') ?? 2;
  if (p !== 1 && p !== 2) n.attributes.fail('p', `is ${p}, expected 1 or 2`);
  const axes = n.indices([normalizeAxis(n.attributes.int('axis') ?? -1, n.rank(0))], 'axes');
  const norm = n.step(p === 1 ? 'ReduceL1' : 'ReduceL2', [x, axes], { keep_dims: true });
  const safe = n.step('Select', [n.with('Equal', norm, 0), n.scalar(x.fact.type, 1, 'one'), norm]);
  return [n.step('Divide', [x, safe])];
}

function standardized(n: ImportNode, axes: readonly number[], scale: OutputPort, bias?: OutputPort): OutputPort {
  const eps = n.attributes.float('epsilon') ?? 1e-5;
  const attributes = { normalize_variance: true, eps, eps_mode: 'inside_sqrt' };
  const normal = n.add('MVN', attributes, [n.input(0), n.indices(axes, 'axes')], { suffix: 'MVN' });
  const product = n.add('Multiply', {}, [normal, scale], bias ? { suffix: 'Multiply' } : {});
  return bias ? n.add('Add', {}, [product, bias]) : product;
}

function lrn(n: ImportNode): OutputPort[] {
  const size = n.attributes.int('size') ?? n.attributes.fail('size', 'is missing');
  if (size < 1) n.attributes.fail('size', `is ${size}, expected a positive number`);
  const attributes = {
    alpha: n.attributes.float('alpha') ?? 1e-4,
    beta: n.attributes.float('beta') ?? 0.75,
    bias: n.attributes.float('bias') ?? 1,
    size,
  };
  return [n.add('LRN', attributes, [n.input(0), n.indices([1], 'axes')])];
}
