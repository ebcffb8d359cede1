/** Hand-made cases of detection heads and label decoders. */
import { f32, i64, type OpCase, typed } from './op-case.ts';

const exact = { attributes: {}, tolerance: 0 };
/** Sums and quotients of a few decimal fractions in single precision. */
const near = { attributes: {}, tolerance: 1e-6 };

const repeated = (values: readonly number[], times: number): number[] =>
  Array.from({ length: times }, () => values).flat();

const variance = '0.1,0.1,0.2,0.2';
const variances = [0.1, 0.1, 0.2, 0.2];

const priorCases: readonly OpCase[] = [
  {
    ...near,
    name: 'PriorBox: smallest, largest, a ratio and its inverse around two cells',
    op: 'PriorBox',
    opset: 'opset1',
    attributes: { min_size: '4', max_size: '9', aspect_ratio: '4', flip: '1', offset: '0.3', step: '0', variance },
    inputs: [i64(1, 2), i64(10, 20)],
    constants: [0, 1],
    expected: [
      f32(
        [2, 32],
        [
          ...[0.15, 0.3, 0.35, 0.7, 0.1, 0.2, 0.4, 0.8, 0.05, 0.4, 0.45, 0.6, 0.2, 0.1, 0.3, 0.9],
          ...[0.65, 0.3, 0.85, 0.7, 0.6, 0.2, 0.9, 0.8, 0.55, 0.4, 0.95, 0.6, 0.7, 0.1, 0.8, 0.9],
          ...repeated(variances, 8),
        ],
      ),
    ],
  },
  {
    ...near,
    name: 'PriorBox: ratios before the largest size, clipped, a step and an offset',
    op: 'PriorBox',
    opset: 'opset8',
    attributes: {
      ...{ min_size: '4', max_size: '9', aspect_ratio: '4,1,4.0000001', min_max_aspect_ratios_order: 'false' },
      ...{ clip: 'true', step: '2', offset: '0.5' },
    },
    inputs: [i64(1, 1), i64(10, 10)],
    constants: [0, 1],
    expected: [f32([2, 12], [0, 0, 0.3, 0.3, 0, 0, 0.5, 0.2, 0, 0, 0.4, 0.4, ...repeated([0.1], 12)])],
  },
  {
    ...near,
    name: 'PriorBox: dense boxes of a fixed size',
    op: 'PriorBox',
    attributes: { fixed_size: '4', density: '2', step: '8', offset: '0.5', variance: '0.3' },
    inputs: [i64(1, 1), i64(8, 8)],
    constants: [0, 1],
    expected: [
      f32(
        [2, 16],
        [
          ...[0.125, 0.125, 0.625, 0.625, 0.375, 0.125, 0.875, 0.625],
          ...[0.125, 0.375, 0.625, 0.875, 0.375, 0.375, 0.875, 0.875],
          ...repeated([0.3], 16),
        ],
      ),
    ],
  },
  {
    ...near,
    name: 'PriorBox: sizes as shares of the height, ratios of the first one only',
    op: 'PriorBox',
    attributes: { min_size: '0.5,0.25', aspect_ratio: '4', scale_all_sizes: 'false', step: '-1', offset: '0.5' },
    inputs: [i64(1, 2), i64(4, 8)],
    constants: [0, 1],
    expected: [
      f32(
        [2, 24],
        [
          ...[0.125, 0.25, 0.375, 0.75, 0.1875, 0.375, 0.3125, 0.625, 0, 0.375, 0.5, 0.625],
          ...[0.625, 0.25, 0.875, 0.75, 0.6875, 0.375, 0.8125, 0.625, 0.5, 0.375, 1, 0.625],
          ...repeated([0.1], 24),
        ],
      ),
    ],
  },
  {
    ...near,
    name: 'PriorBoxClustered: a clipped box and a step for each axis',
    op: 'PriorBoxClustered',
    attributes: { width: '4, 30', height: '2, 4', step_w: '8', step_h: '4', offset: '0.5', variance },
    inputs: [i64(1, 1), i64(10, 20)],
    constants: [0, 1],
    expected: [f32([2, 8], [0.1, 0.1, 0.3, 0.3, 0, 0, 0.95, 0.4, ...repeated(variances, 2)])],
  },
];

const threePriors = f32([1, 2, 12], [0, 0, 0.4, 0.4, 0.1, 0, 0.5, 0.4, 0.5, 0.5, 0.9, 0.9, ...repeated(variances, 3)]);
/** The third box moves by a tenth of its width and becomes twice as wide: exp(0.2 · 5 ln 2) = 2. */
const threeLocations = f32([1, 12], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 5 * Math.LN2, 0]);
const threeScores = f32([1, 9], [0.1, 0.6, 0.3, 0.2, 0.7, 0.1, 0.3, 0.05, 0.65]);
const ssd = {
  ...{ code_type: 'caffe.PriorBoxParameter.CENTER_SIZE', normalized: '1', share_location: '1', num_classes: '3' },
  ...{ nms_threshold: '0.5', confidence_threshold: '0.2', background_label_id: '0', top_k: '5' },
};

const detectionOutputCases: readonly OpCase[] = [
  {
    ...near,
    name: 'DetectionOutput: classes by themselves, a row that ends the list',
    op: 'DetectionOutput',
    opset: 'opset1',
    attributes: { ...ssd, keep_top_k: '4' },
    inputs: [threeLocations, threeScores, threePriors],
    expected: [
      f32(
        [1, 1, 4, 7],
        [
          ...[0, 1, 0.7, 0.1, 0, 0.5, 0.4],
          ...[0, 2, 0.65, 0.34, 0.5, 1.14, 0.9],
          ...[0, 2, 0.3, 0, 0, 0.4, 0.4],
          ...[-1, 0, 0, 0, 0, 0, 0],
        ],
      ),
    ],
  },
  {
    ...near,
    name: 'DetectionOutput: the best of all classes, clipped, no room for an end',
    op: 'DetectionOutput',
    attributes: { ...ssd, keep_top_k: '2', clip_after_nms: 'true' },
    inputs: [threeLocations, threeScores, threePriors],
    expected: [f32([1, 1, 2, 7], [0, 1, 0.7, 0.1, 0, 0.5, 0.4, 0, 2, 0.65, 0.34, 0.5, 1, 0.9])],
  },
  {
    ...near,
    name: 'DetectionOutput: a limit of candidates cuts before suppression',
    op: 'DetectionOutput',
    attributes: { ...ssd, keep_top_k: '-1', top_k: '1', nms_threshold: '0.9' },
    inputs: [threeLocations, threeScores, threePriors],
    expected: [
      f32([1, 1, 3, 7], [0, 1, 0.7, 0.1, 0, 0.5, 0.4, 0, 2, 0.65, 0.34, 0.5, 1.14, 0.9, -1, 0, 0, 0, 0, 0, 0]),
    ],
  },
  {
    ...near,
    name: 'DetectionOutput: one class for a box, corners in pixels, two images',
    op: 'DetectionOutput',
    attributes: {
      ...{ decrease_label_id: '1', normalized: '0', input_width: '10', input_height: '10', keep_top_k: '2' },
      ...{ variance_encoded_in_target: '1', nms_threshold: '0.5', confidence_threshold: '0.1' },
    },
    inputs: [
      f32([2, 8], [0.1, 0.1, 0.1, 0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      f32([2, 6], [0.1, 0.3, 0.6, 0.8, 0.1, 0.1, 0.9, 0.05, 0.05, 0.1, 0.2, 0.7]),
      f32([1, 1, 10], [9, 0, 0, 4, 4, 9, 6, 6, 10, 10]),
    ],
    constants: [2],
    expected: [
      f32(
        [1, 1, 4, 7],
        [
          ...[0, 0, 0.1, 0.6, 0.6, 1, 1],
          ...[0, 1, 0.6, 0.1, 0.1, 0.5, 0.5],
          ...[1, 1, 0.7, 0.6, 0.6, 1, 1],
          ...[-1, 0, 0, 0, 0, 0, 0],
        ],
      ),
    ],
  },
  {
    ...near,
    name: 'DetectionOutput: a first stage moves the default boxes and rules one out',
    op: 'DetectionOutput',
    attributes: {
      ...{ normalized: '1', keep_top_k: '1', variance_encoded_in_target: '1', nms_threshold: '0.5' },
      ...{ objectness_score: '0.5', confidence_threshold: '0.1' },
    },
    inputs: [
      f32([1, 8], [0.05, 0.05, 0.05, 0.05, 0, 0, 0, 0]),
      f32([1, 4], [0.4, 0.6, 0, 1]),
      f32([1, 1, 8], [0, 0, 0.2, 0.2, 0, 0, 1, 1]),
      f32([1, 4], [0.2, 0.8, 0.9, 0.1]),
      f32([1, 8], [0.1, 0.1, 0.1, 0.1, 0, 0, 0, 0]),
    ],
    expected: [f32([1, 1, 1, 7], [0, 1, 0.6, 0.15, 0.15, 0.35, 0.35])],
  },
  {
    ...near,
    name: 'DetectionOutput: every class has boxes of its own',
    op: 'DetectionOutput',
    attributes: {
      ...{ normalized: '1', keep_top_k: '-1', share_location: '0', nms_threshold: '0.5' },
      ...{ variance_encoded_in_target: '1', clip_before_nms: '1' },
    },
    inputs: [
      f32([1, 12], [0, 0, 0, 0, 0.1, 0.1, 0.1, 0.1, -0.2, -0.2, 0.2, 0.2]),
      f32([1, 3], [0.1, 0.5, 0.4]),
      f32([1, 1, 4], [0, 0, 0.2, 0.2]),
    ],
    expected: [f32([1, 1, 3, 7], [0, 1, 0.5, 0.1, 0.1, 0.3, 0.3, 0, 2, 0.4, 0, 0, 0.4, 0.4, -1, 0, 0, 0, 0, 0, 0])],
  },
];

/** Overlaps: 0 with 1 and 1 with 2 are 1/2, 0 with 2 is 1/5; the third is written from its other corner. */
const fourBoxes = f32([1, 4, 4], [0, 0, 1, 3, 0, 1, 1, 4, 1, 5, 0, 2, 5, 5, 6, 6]);
const oneClass = f32([1, 1, 4], [0.9, 0.75, 0.5, 0.6]);
const twoClasses = f32([1, 2, 4], [0.9, 0.75, 0.5, 0.6, 0, 0.8, 0, 0]);
const limits = (most: number, share: number, score: number) => [
  typed('i64', [], [most]),
  f32([], [share]),
  f32([], [score]),
];

const nmsCases: readonly OpCase[] = [
  {
    ...exact,
    name: 'NonMaxSuppression: rows that are left over',
    op: 'NonMaxSuppression',
    opset: 'opset1',
    attributes: { sort_result_descending: 'false' },
    inputs: [fourBoxes, twoClasses, ...limits(3, 0.4, 0.1)],
    constants: [2, 3, 4],
    expected: [typed('i64', [6, 3], [0, 0, 0, 0, 0, 3, 0, 0, 2, 0, 1, 1, -1, -1, -1, -1, -1, -1])],
  },
  {
    ...exact,
    name: 'NonMaxSuppression: no more than the limit, as i32',
    op: 'NonMaxSuppression',
    opset: 'opset4',
    attributes: { output_type: 'i32' },
    inputs: [fourBoxes, twoClasses, ...limits(1, 0.4, 0.1)],
    constants: [2, 3, 4],
    expected: [typed('i32', [2, 3], [0, 0, 0, 0, 1, 1])],
  },
  {
    ...exact,
    name: 'NonMaxSuppression: a limit that is absent is 0',
    op: 'NonMaxSuppression',
    opset: 'opset3',
    inputs: [fourBoxes, oneClass],
    expected: [typed('i64', [0, 3], [])],
  },
  {
    ...exact,
    name: 'NonMaxSuppression: an overlap at the threshold is enough up to opset 5',
    op: 'NonMaxSuppression',
    opset: 'opset5',
    inputs: [fourBoxes, oneClass, ...limits(9, 0.5, 0.5)],
    constants: [2, 3, 4],
    dynamic: true,
    expected: [typed('i64', [2, 3], [0, 0, 0, 0, 0, 3]), f32([2, 3], [0, 0, 0.9, 0, 0, 0.6]), typed('i64', [1], [2])],
  },
  {
    ...exact,
    name: 'NonMaxSuppression: an overlap at the threshold is not enough from opset 9 on, sorted over classes',
    op: 'NonMaxSuppression',
    opset: 'opset9',
    inputs: [fourBoxes, twoClasses, ...limits(9, 0.5, 0.5)],
    constants: [2, 3, 4],
    dynamic: true,
    expected: [
      typed('i64', [4, 3], [0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 3]),
      f32([4, 3], [0, 0, 0.9, 0, 1, 0.8, 0, 0, 0.75, 0, 0, 0.6]),
      typed('i64', [1], [4]),
    ],
  },
  {
    ...near,
    name: 'NonMaxSuppression: soft, scores sink with the overlap',
    op: 'NonMaxSuppression',
    opset: 'opset9',
    inputs: [fourBoxes, oneClass, ...limits(9, 0, 0.4), f32([], [0.5])],
    constants: [2, 3, 4, 5],
    dynamic: true,
    // 0.75 · exp(−1/4); 0.5 · exp(−1/25) · exp(−1/4) is below the score threshold.
    expected: [
      typed('i64', [3, 3], [0, 0, 0, 0, 0, 3, 0, 0, 1]),
      f32([3, 3], [0, 0, 0.9, 0, 0, 0.6, 0, 0, 0.75 * Math.exp(-0.25)]),
      typed('i64', [1], [3]),
    ],
  },
  {
    ...near,
    name: 'NonMaxSuppression: soft, and dropped from the threshold on up to opset 5; centers and sizes',
    op: 'NonMaxSuppression',
    opset: 'opset5',
    attributes: { box_encoding: 'center' },
    inputs: [
      f32([1, 3, 4], [0.5, 1.5, 1, 3, 0.5, 2.5, 1, 3, 0.5, 3.5, 1, 3]),
      f32([1, 1, 3], [0.9, 0.75, 0.5]),
      ...limits(9, 0.5, 0.1),
      f32([], [0.5]),
    ],
    constants: [2, 3, 4, 5],
    dynamic: true,
    // The second box is dropped, the third meets the first only: 0.5 · exp(−1/25).
    expected: [
      typed('i64', [2, 3], [0, 0, 0, 0, 0, 2]),
      f32([2, 3], [0, 0, 0.9, 0, 0, 0.5 * Math.exp(-0.04)]),
      typed('i64', [1], [2]),
    ],
  },
];

/** The most likely classes of two sequences are 0 0 2 0 and 1 1 0 0; class 2 is the blank. */
const twoSequences = f32([4, 2, 3], [9, 1, 2, 1, 9, 2, 8, 1, 2, 1, 8, 2, 1, 2, 8, 3, 1, 2, 7, 7, 1, 4, 1, 2]);
const twoMasks = f32([4, 2], [1, 1, 1, 1, 1, 0, 1, 1]);

const sequenceCases: readonly OpCase[] = [
  {
    ...exact,
    name: 'CTCGreedyDecoder: repetitions merge, a blank keeps both, the mask ends',
    op: 'CTCGreedyDecoder',
    inputs: [twoSequences, twoMasks],
    expected: [f32([2, 4, 1, 1], [0, 0, -1, -1, 1, -1, -1, -1])],
  },
  {
    ...exact,
    name: 'CTCGreedyDecoder: repetitions stay',
    op: 'CTCGreedyDecoder',
    attributes: { ctc_merge_repeated: 'false' },
    inputs: [twoSequences, twoMasks],
    expected: [f32([2, 4, 1, 1], [0, 0, 0, -1, 1, 1, -1, -1])],
  },
  {
    ...exact,
    name: 'CTCGreedyDecoderSeqLen: lengths, and a blank of one’s own',
    op: 'CTCGreedyDecoderSeqLen',
    attributes: { classes_index_type: 'i64' },
    inputs: [f32([1, 4, 3], [1, 9, 0, 1, 9, 0, 9, 1, 0, 1, 2, 9]), typed('i32', [1], [3]), typed('i32', [], [0])],
    constants: [2],
    expected: [typed('i64', [1, 4], [1, -1, -1, -1]), typed('i32', [1], [1])],
  },
  {
    ...exact,
    name: 'CTCGreedyDecoderSeqLen: the last class is the blank, repetitions stay',
    op: 'CTCGreedyDecoderSeqLen',
    attributes: { merge_repeated: 'false' },
    inputs: [f32([1, 4, 3], [1, 9, 0, 1, 9, 0, 9, 1, 0, 1, 2, 9]), typed('i32', [1], [4])],
    expected: [typed('i32', [1, 4], [1, 1, 0, -1]), typed('i32', [1], [3])],
  },
];

export const detectionCases: readonly OpCase[] = [
  ...priorCases,
  ...detectionOutputCases,
  ...nmsCases,
  ...sequenceCases,
];
