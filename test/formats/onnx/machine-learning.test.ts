// Operators of ai.onnx.ml give what ONNX Runtime gives.
import type { ElementType } from '../../../lib/tensor/element-type.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { floats, inDomain, type NodeAttributes, type OperatorCase, testAgreement } from '../../support/microsoft.ts';
import { node } from '../../support/onnx.ts';

function one(opType: string, feeds: Readonly<Record<string, Tensor>>, attributes: NodeAttributes = {}): OperatorCase {
  return { name: opType, nodes: [inDomain('ai.onnx.ml', opType, Object.keys(feeds), ['y'], attributes)], feeds };
}

const x = floats([3, 4], 1);

/** Binarizer of numbers around a threshold that lies between two integers, which ONNX Runtime computes for f32 only. */
function integersAbove(type: ElementType): OperatorCase {
  return {
    ...one('Binarizer', { x: tensor(type, [2, 3], [-2, -1, 0, 1, 2, 3]) }, { threshold: -0.5 }),
    reference: [
      node('Cast', ['x'], ['real'], { to: 1n }),
      inDomain('ai.onnx.ml', 'Binarizer', ['real'], ['ones'], { threshold: -0.5 }),
      node('CastLike', ['ones', 'x'], ['y']),
    ],
  };
}

testAgreement([
  one('Scaler', { x }, { offset: [0.5, 1, -1, 0.25], scale: [2, 0.5, 1, 3] }),
  one('Scaler', { x: tensor('i64', [2, 2], [1, 2, 3, 4]) }, { offset: [0.5], scale: [2] }),
  one('Normalizer', { x: tensor('f32', [2, 3], [1, 2, 4, 0, 0, 0]) }, { norm: 'MAX' }),
  one('Normalizer', { x }, { norm: 'L1' }),
  one('Normalizer', { x }, { norm: 'L2' }),
  one('Binarizer', { x }, { threshold: 0.25 }),
  ...(['i32', 'i64'] as const).map((type) => integersAbove(type)),
  one(
    'Imputer',
    { x: tensor('f32', [2, 3], [1, Number.NaN, 4, Number.NaN, 0, 2]) },
    { imputed_value_floats: [7, 8, 9], replaced_value_float: Number.NaN },
  ),
  one(
    'Imputer',
    { x: tensor('f32', [2, 2], [1, 2, 1, 4]) },
    { imputed_value_floats: [7.5], replaced_value_float: 1.5 },
  ),
  one('ArrayFeatureExtractor', { x, i: tensor('i64', [2], [3, 1]) }),
  one('FeatureVectorizer', { x, z: floats([3, 2], 2) }, { inputdimensions: [4n, 2n] }),
  one('LinearRegressor', { x }, { coefficients: [1, 2, 3, 4, 0.5, -1, 2, 0], intercepts: [1.5, -1], targets: 2n }),
]);
