// The list of all operations. Importing this file makes them known to the registry.

import { clamp } from './activation/clamp.ts';
import { elu } from './activation/elu.ts';
import { gelu2, gelu7 } from './activation/gelu.ts';
import { hardSigmoid, hSigmoid, hSwish } from './activation/hard-activations.ts';
import { prelu } from './activation/prelu.ts';
import { relu } from './activation/relu.ts';
import { sigmoid } from './activation/sigmoid.ts';
import { mish, selu, softPlus, softSign } from './activation/smooth-activations.ts';
import { logSoftmax, softMax1, softMax8 } from './activation/softmax.ts';
import { swish } from './activation/swish.ts';
import { tanh } from './activation/tanh.ts';
import { yuvToRgb } from './color/yuv-to-rgb.ts';
import { constant } from './control/constant.ts';
import { ifOp } from './control/if.ts';
import { loop, tensorIterator } from './control/loop.ts';
import { parameter } from './control/parameter.ts';
import { result } from './control/result.ts';
import { assign3, readValue3, readValue6 } from './control/variable.ts';
import { binaryConvolution } from './convolution/binary-convolution.ts';
import { col2Im } from './convolution/col2im.ts';
import { convolution } from './convolution/convolution.ts';
import { convolutionBackpropData } from './convolution/convolution-backprop-data.ts';
import { deformableColumns } from './convolution/deformable-columns.ts';
import { deformableConvolution } from './convolution/deformable-convolution.ts';
import { groupConvolution } from './convolution/group-convolution.ts';
import { groupConvolutionBackpropData } from './convolution/group-convolution-backprop-data.ts';
import type { OpDef } from './define-op.ts';
import { detectionOutput1, detectionOutput8 } from './detection/detection-output.ts';
import { detectronDetectionOutput, priorGridGenerator, roiFeatureExtractor, topKRois } from './detection/detectron.ts';
import {
  generateProposals,
  generateProposalsRows,
  generateProposalsSingleImage,
} from './detection/generate-proposals.ts';
import { matrixNms, matrixNmsRows } from './detection/matrix-nms.ts';
import { multiclassNms8, multiclassNms9, multiclassNmsRows } from './detection/multiclass-nms.ts';
import { nmsRotated } from './detection/nms-rotated.ts';
import {
  nonMaxSuppression1,
  nonMaxSuppression3,
  nonMaxSuppression4,
  nonMaxSuppression5,
  nonMaxSuppression9,
  nonMaxSuppressionRows,
} from './detection/non-max-suppression.ts';
import { priorBox1, priorBox8 } from './detection/prior-box.ts';
import { priorBoxClustered } from './detection/prior-box-clustered.ts';
import { proposal1, proposal4 } from './detection/proposal.ts';
import { deformablePsroiPooling, psroiPooling } from './detection/psroi-pooling.ts';
import { regionYolo } from './detection/region-yolo.ts';
import { reorgYolo } from './detection/reorg-yolo.ts';
import { roiAlign3, roiAlign9, roiAlignRotated } from './detection/roi-align.ts';
import { roiPooling } from './detection/roi-pooling.ts';
import { arithmetic } from './elementwise/arithmetic.ts';
import { bitwise } from './elementwise/bitwise.ts';
import { classification } from './elementwise/classification.ts';
import { comparison } from './elementwise/comparison.ts';
import { logical } from './elementwise/logical.ts';
import { select } from './elementwise/select.ts';
import { unaryMath } from './elementwise/unary-math.ts';
import { embeddingBags } from './embedding/embedding-bag.ts';
import { einsumOp } from './linear/einsum.ts';
import { inverse } from './linear/inverse.ts';
import { matMul } from './linear/mat-mul.ts';
import { scaledDotProductAttention } from './linear/scaled-dot-product-attention.ts';
import { batchToSpace, spaceToBatch } from './movement/batch-to-space.ts';
import { broadcast1, broadcast3 } from './movement/broadcast.ts';
import { concat } from './movement/concat.ts';
import { depthToSpace, spaceToDepth } from './movement/depth-to-space.ts';
import { extractImagePatches } from './movement/extract-image-patches.ts';
import { eye } from './movement/eye.ts';
import { firstRows } from './movement/first-rows.ts';
import { reverse, roll } from './movement/flip.ts';
import { gather1, gather7, gather8 } from './movement/gather.ts';
import { gatherElements, gatherNd5, gatherNd8 } from './movement/gather-elements.ts';
import { gatherTree } from './movement/gather-tree.ts';
import { nonZero } from './movement/non-zero.ts';
import { oneHot } from './movement/one-hot.ts';
import { pad1, pad12 } from './movement/pad.ts';
import { range1, range4 } from './movement/range.ts';
import { reshape } from './movement/reshape.ts';
import { reverseSequence } from './movement/reverse-sequence.ts';
import {
  scatterElementsUpdate3,
  scatterElementsUpdate12,
  scatterNdUpdate4,
  scatterNdUpdate15,
  scatterUpdate,
} from './movement/scatter.ts';
import { shapeOf1, shapeOf3 } from './movement/shape-of.ts';
import { shuffleChannels } from './movement/shuffle-channels.ts';
import { slice } from './movement/slice.ts';
import { split, variadicSplit } from './movement/split.ts';
import { squeeze, unsqueeze } from './movement/squeeze.ts';
import { stridedSlice } from './movement/strided-slice.ts';
import { tile } from './movement/tile.ts';
import { transpose } from './movement/transpose.ts';
import { unique } from './movement/unique.ts';
import { batchNormInference1, batchNormInference5 } from './normalization/batch-norm-inference.ts';
import { lrn } from './normalization/lrn.ts';
import { mvn2, mvn6 } from './normalization/mvn.ts';
import { normalizeL2 } from './normalization/normalize-l2.ts';
import { grn, groupNormalization, rms } from './normalization/root-mean-square.ts';
import { adaptiveAvgPool, adaptiveMaxPool } from './pooling/adaptive-pool.ts';
import { avgPool } from './pooling/avg-pool.ts';
import { maxPool1, maxPool8 } from './pooling/max-pool.ts';
import { convert, convertLike } from './quantization/convert.ts';
import { convertPromoteTypes } from './quantization/convert-promote-types.ts';
import { fakeConvert } from './quantization/fake-convert.ts';
import { fakeQuantizeOp } from './quantization/fake-quantize.ts';
import { randomOps } from './random/random-ops.ts';
import { gruCell, lstmCell1, lstmCell4, rnnCell } from './recurrent/cell.ts';
import { gruSequence, lstmSequence1, lstmSequence5, rnnSequence } from './recurrent/sequence.ts';
import { bucketize, searchSorted } from './reduction/bucketize.ts';
import { cumSum } from './reduction/cum-sum.ts';
import { reductionOps } from './reduction/reduce.ts';
import { topK } from './reduction/top-k.ts';
import { addOp } from './registry.ts';
import { gridSample } from './resize/grid-sample.ts';
import { interpolate4, interpolate11 } from './resize/interpolate.ts';
import { interpolate1 } from './resize/interpolate-1.ts';
import { ctcGreedyDecoder, ctcGreedyDecoderSeqLen } from './sequence/ctc-greedy-decoder.ts';
import { ctcLoss } from './sequence/ctc-loss.ts';
import { fourier } from './signal/fourier.ts';
import { stftOp } from './signal/stft.ts';
import { stringOps } from './string/string-ops.ts';
import { stringTensorPack, stringTensorUnpack } from './string/string-tensor.ts';

const definitions: readonly OpDef[] = [
  ...[parameter, result, constant, tensorIterator, loop, ifOp, readValue3, readValue6, assign3],
  ...[convolution, groupConvolution, convolutionBackpropData, groupConvolutionBackpropData, matMul],
  ...[maxPool1, maxPool8, avgPool],
  ...[relu, prelu, clamp, sigmoid, tanh, elu, hSigmoid, hSwish, hardSigmoid, swish, gelu2, gelu7],
  ...[softPlus, softSign, mish, selu, softMax1, softMax8, logSoftmax],
  ...[...arithmetic, ...comparison, ...logical, select, ...unaryMath, ...reductionOps],
  ...[reshape, squeeze, unsqueeze, transpose, concat, split, variadicSplit, stridedSlice, slice],
  ...[gather1, gather7, gather8, pad1, pad12, shapeOf1, shapeOf3],
  ...[broadcast1, broadcast3, tile, range1, range4, oneHot, depthToSpace, spaceToDepth, shuffleChannels],
  ...[scatterUpdate, scatterElementsUpdate3, scatterElementsUpdate12, scatterNdUpdate4, scatterNdUpdate15],
  ...[gatherElements, gatherNd5, gatherNd8, reverseSequence, nonZero, unique, eye, ...topK, cumSum, einsumOp],
  ...[
    ...bitwise,
    ...classification,
    ...fourier,
    stftOp,
    gridSample,
    col2Im,
    ...deformableConvolution,
    deformableColumns,
  ],
  ...[batchNormInference1, batchNormInference5, mvn2, mvn6, lrn, normalizeL2],
  ...[interpolate1, interpolate4, interpolate11],
  ...[lstmCell1, lstmCell4, gruCell, rnnCell, lstmSequence1, lstmSequence5, gruSequence, rnnSequence],
  ...[fakeQuantizeOp, convert, convertLike, convertPromoteTypes, fakeConvert, ...yuvToRgb],
  ...[binaryConvolution, inverse, scaledDotProductAttention, adaptiveAvgPool, adaptiveMaxPool],
  ...[batchToSpace, spaceToBatch, extractImagePatches, reverse, roll, gatherTree, ...embeddingBags],
  ...[bucketize, searchSorted, grn, groupNormalization, rms, ctcLoss, ...randomOps],
  ...[priorBox1, priorBox8, priorBoxClustered, detectionOutput1, detectionOutput8],
  ...[nonMaxSuppression1, nonMaxSuppression3, nonMaxSuppression4, nonMaxSuppression5, nonMaxSuppression9],
  ...[nonMaxSuppressionRows, generateProposalsRows, matrixNmsRows, multiclassNmsRows, firstRows],
  ...[nmsRotated, matrixNms, multiclassNms8, multiclassNms9, proposal1, proposal4],
  ...[roiAlign3, roiAlign9, roiAlignRotated, roiPooling, psroiPooling, deformablePsroiPooling, regionYolo, reorgYolo],
  ...[generateProposals, generateProposalsSingleImage, priorGridGenerator, topKRois],
  ...[detectronDetectionOutput, roiFeatureExtractor],
  ...[ctcGreedyDecoder, ctcGreedyDecoderSeqLen, stringTensorPack, stringTensorUnpack, ...stringOps],
];

for (const definition of definitions) addOp(definition);

export { createNode } from './create-node.ts';
export { defineOp, type OpDef, type PostOp, type QuantTraits } from './define-op.ts';
export { registerOp } from './register-op.ts';
export { allOps, findOp, getOp } from './registry.ts';
