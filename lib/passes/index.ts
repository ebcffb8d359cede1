// The passes, and the sequences of them that prepare models.
import type { Model } from '../graph/model.ts';
import { shareConstants } from './common-subexpression.ts';
import { decompressConstants, promoteHalf } from './decompress-constants.ts';
import { eliminateNoOp } from './eliminate-no-op.ts';
import { expandOperations } from './expand-operations.ts';
import { foldConstants } from './fold-constants.ts';
import { fuseBatchNorm } from './fuse-batch-norm.ts';
import { fuseGelu } from './fuse-gelu.ts';
import { fuseHardSwish } from './fuse-hard-swish.ts';
import { fuseLayerNorm } from './fuse-layer-norm.ts';
import { fuseScaleShift } from './fuse-scale-shift.ts';
import { fuseSwish } from './fuse-swish.ts';
import { insertBias } from './insert-bias.ts';
import { normalizeMatMul } from './normalize-matmul.ts';
import type { Pass } from './pass.ts';
import { type PassOptions, runPasses } from './pass-manager.ts';
import { propagateShapes } from './propagate-shapes.ts';
import { scatterSlices } from './scatter-slices.ts';
import { splitConcatProducts } from './split-concat-products.ts';

/** Every product has its weights and its bias where algorithms look for them; constants stay apart from each other. */
export const quantizationPasses: readonly Pass[] = [
  decompressConstants,
  promoteHalf,
  foldConstants(),
  eliminateNoOp,
  fuseScaleShift,
  fuseBatchNorm,
  fuseScaleShift,
  fuseLayerNorm,
  fuseGelu,
  fuseSwish,
  fuseHardSwish,
  normalizeMatMul,
  insertBias,
  propagateShapes,
];

/** As few nodes as possible. */
export const executionPasses: readonly Pass[] = [
  decompressConstants,
  promoteHalf,
  expandOperations,
  foldConstants(),
  eliminateNoOp,
  fuseScaleShift,
  fuseBatchNorm,
  fuseScaleShift,
  fuseLayerNorm,
  fuseGelu,
  fuseSwish,
  fuseHardSwish,
  scatterSlices,
  splitConcatProducts,
  shareConstants,
  propagateShapes,
];

/** What execution needs while every computed value of the model remains to be looked at. */
export const observationPasses: readonly Pass[] = [decompressConstants, promoteHalf, expandOperations, foldConstants()];

/**
 * Prepares a model for quantization, in place: half precision becomes f32, constants are folded, batch normalization
 * and scales go into weights and biases, and every convolution has a bias.
 */
export function prepareForQuantization(model: Model, options: PassOptions = {}): void {
  runPasses(model, quantizationPasses, options);
}

/** Prepares a model for execution, in place; nodes that only name values may be gone. */
export function prepareForExecution(model: Model, options: PassOptions = {}): void {
  runPasses(model, executionPasses, options);
}

/** Prepares a model for execution, in place, without removing or changing any value that depends on an input. */
export function prepareForObservation(model: Model, options: PassOptions = {}): void {
  runPasses(model, observationPasses, options);
}

export { shareConstants } from './common-subexpression.ts';
export { compressWeights } from './compress-weights.ts';
export { decompressConstants, promoteHalf } from './decompress-constants.ts';
export { eliminateNoOp } from './eliminate-no-op.ts';
export { expandOperations } from './expand-operations.ts';
export { type FoldOptions, foldConstants } from './fold-constants.ts';
export { fuseBatchNorm } from './fuse-batch-norm.ts';
export { fuseGelu } from './fuse-gelu.ts';
export { fuseHardSwish } from './fuse-hard-swish.ts';
export { fuseLayerNorm } from './fuse-layer-norm.ts';
export { fuseScaleShift } from './fuse-scale-shift.ts';
export { fuseSwish } from './fuse-swish.ts';
export { insertBias } from './insert-bias.ts';
export { normalizeMatMul } from './normalize-matmul.ts';
export { definePass, defineRewrite, type Pass, type PassContext, type Rewrite, repeatPasses } from './pass.ts';
export { type PassOptions, runPasses } from './pass-manager.ts';
export { propagateShapes } from './propagate-shapes.ts';
export { scatterSlices } from './scatter-slices.ts';
export { splitConcatProducts } from './split-concat-products.ts';
