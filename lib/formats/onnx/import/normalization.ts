/** BatchNormalization, InstanceNormalization, LayerNormalization and LRN. */
import type { OutputPort } from '../../../graph/node.ts';
import { formatShape, normalizeAxis } from '../../../tensor/shape.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const normalizationImporters: ImporterTable = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LRN: lrn,
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

function layerNormalization(n: ImportNode): OutputPort[] {
  if (n.outputNames.slice(1).some((name) => name !== '')) n.unsupported('its mean and deviation are used');
  const rank = n.rank(0);
  const axis = normalizeAxis(n.attributes.int('axis') ?? -1, rank);
  const axes = Array.from({ length: rank - axis }, (_, i) => axis + i);
  return [standardized(n, axes, n.input(1), n.optional(2))];
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
