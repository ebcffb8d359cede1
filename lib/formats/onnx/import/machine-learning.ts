/** Operators of `ai.onnx.ml` that are plain arithmetic on rows of features, as exported pipelines of scikit-learn have. */
import type { OutputPort } from '../../../graph/node.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { inDomain } from './in-domain.ts';

export const machineLearningImporters: ImporterTable = inDomain('ai.onnx.ml', {
  Scaler: scaler,
  Normalizer: normalizer,
  Binarizer: binarizer,
  Imputer: imputer,
  ArrayFeatureExtractor: arrayFeatureExtractor,
  FeatureVectorizer: featureVectorizer,
  LinearRegressor: linearRegressor,
});

function row(n: ImportNode, name: string, values: readonly number[]): OutputPort {
  return n.constant(tensor('f32', values.length === 1 ? [] : [values.length], values), name);
}

/** `(x − offset) · scale`, with one number for all features or for each. */
function scaler(n: ImportNode): OutputPort[] {
  const real = n.converted(n.input(0), 'f32');
  const centred = n.step('Subtract', [real, row(n, 'offset', n.attributes.floats('offset') ?? [0])]);
  return [n.step('Multiply', [centred, row(n, 'scale', n.attributes.floats('scale') ?? [1])])];
}

/** Each row divided by its largest element, or by the norm of its elements; rows without any stay. */
function normalizer(n: ImportNode): OutputPort[] {
  const real = n.converted(n.input(0), 'f32');
  const norm = n.attributes.choice('norm', ['MAX', 'L1', 'L2'], 'MAX');
  const types = { MAX: 'ReduceMax', L1: 'ReduceL1', L2: 'ReduceL2' };
  const size = n.step(types[norm], [real, n.indices([n.rank(0) - 1], 'axes')], { keep_dims: true });
  const safe = n.step('Select', [n.with('Equal', size, 0), n.scalar('f32', 1, 'one'), size]);
  return [n.step('Divide', [real, safe])];
}

/** 1 above the threshold, else 0. The threshold is a float whatever the features are: integers are compared as doubles. */
function binarizer(n: ImportNode): OutputPort[] {
  const { type } = n.input(0).fact;
  const real = n.converted(n.input(0), type === 'f32' ? 'f32' : 'f64');
  return [n.converted(n.with('Greater', real, n.attributes.float('threshold') ?? 0), type)];
}

/** Numbers that stand for a missing feature replaced by others, one for all features or one for each. */
function imputer(n: ImportNode): OutputPort[] {
  const x = n.input(0);
  const values = n.attributes.floats('imputed_value_floats');
  if (x.fact.type !== 'f32' || !values) return n.unsupported(`features of ${x.fact.type}; lowp replaces floats`);
  const missing = n.attributes.float('replaced_value_float') ?? 0;
  const isMissing = Number.isNaN(missing) ? n.step('IsNaN', [x]) : n.with('Equal', x, missing);
  return [n.step('Select', [isMissing, row(n, 'imputed', values), x])];
}

/** The features that the indices name, `[rows, indices]`. */
function arrayFeatureExtractor(n: ImportNode): OutputPort[] {
  const rank = n.rank(0);
  const list = n.reshaped(n.input(1), [-1], 'list');
  const chosen = n.step('Gather', [n.input(0), list, n.scalar('i64', rank - 1, 'axis')], { batch_dims: 0 });
  return [rank === 1 ? n.step('Unsqueeze', [chosen, n.indices([0], 'axes')]) : chosen];
}

/** Rows of several tensors side by side, as f32. */
function featureVectorizer(n: ImportNode): OutputPort[] {
  const sizes = n.attributes.ints('inputdimensions') ?? [];
  const parts = n.allInputs().map((port, i) => {
    if (port.fact.shape.length !== 2) n.unsupported(`features of rank ${port.fact.shape.length}`);
    if (sizes[i] !== undefined && sizes[i] !== port.fact.shape[1]) {
      n.attributes.fail('inputdimensions', `is ${sizes.join(',')}, input ${i} has ${port.fact.shape[1]} features`);
    }
    return n.converted(port, 'f32');
  });
  return [n.step('Concat', parts, { axis: 1 })];
}

/** `X · coefficientsᵀ + intercepts`, one row of coefficients for each target. */
function linearRegressor(n: ImportNode): OutputPort[] {
  const coefficients = n.attributes.floats('coefficients') ?? n.attributes.fail('coefficients', 'is missing');
  const targets = n.attributes.int('targets') ?? 1;
  const transform = n.attributes.string('post_transform') ?? 'NONE';
  if (transform !== 'NONE') n.unsupported(`post_transform ${transform}`);
  if (targets < 1 || coefficients.length % targets !== 0) {
    n.attributes.fail('coefficients', `has ${coefficients.length} elements for ${targets} targets`);
  }
  const weights = n.constant(tensor('f32', [targets, coefficients.length / targets], coefficients), 'coefficients');
  const product = n.step('MatMul', [n.converted(n.input(0), 'f32'), weights], { transpose_b: true });
  const intercepts = n.attributes.floats('intercepts');
  return [intercepts ? n.step('Add', [product, row(n, 'intercepts', intercepts)]) : product];
}
