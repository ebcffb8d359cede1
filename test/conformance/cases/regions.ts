/** Hand-made cases of two-stage detectors, YOLO layers and other ways of suppression. */
import { f32, i64, type OpCase, typed } from './op-case.ts';

const exact = { attributes: {}, tolerance: 0 };
const near = { attributes: {}, tolerance: 1e-6 };

const ln3 = Math.log(3);
const twoByTwo = f32([1, 1, 2, 2], [1, 2, 3, 4]);
const threeByThree = f32([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
const count = (shape: readonly number[]) => {
  const length = shape.reduce((a, b) => a * b, 1);
  return f32(
    shape,
    Array.from({ length }, (_, i) => i),
  );
};

const yoloCases: readonly OpCase[] = [
  {
    ...near,
    name: 'RegionYolo: version 3, sigmoids, only the masked box',
    op: 'RegionYolo',
    attributes: { coords: '4', classes: '1', num: '3', do_softmax: '0', mask: '2', axis: '1', end_axis: '3' },
    inputs: [f32([1, 6, 1, 1], [0, ln3, 2, -1, 0, -ln3])],
    expected: [f32([1, 6, 1, 1], [0.5, 0.75, 2, -1, 0.5, 0.25])],
  },
  {
    ...near,
    name: 'RegionYolo: version 2, softmax over classes, flattened',
    op: 'RegionYolo',
    attributes: { coords: '4', classes: '2', num: '1', axis: '1', end_axis: '3' },
    inputs: [f32([1, 7, 1, 1], [0, ln3, 2, -1, 0, 0, ln3])],
    expected: [f32([1, 7], [0.5, 0.75, 2, -1, 0.5, 0.25, 0.75])],
  },
  {
    ...exact,
    name: 'ReorgYolo: the order of Darknet',
    op: 'ReorgYolo',
    attributes: { stride: '2' },
    inputs: [count([1, 4, 2, 2])],
    expected: [f32([1, 16, 1, 1], [0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15])],
  },
];

const align = { pooled_h: '1', pooled_w: '1', sampling_ratio: '2', spatial_scale: '1', mode: 'avg' };
const wholeMap = f32([1, 4], [0, 0, 2, 2]);

const poolingCases: readonly OpCase[] = [
  {
    ...near,
    name: 'ROIAlign: samples beyond the last pixel count as on it',
    op: 'ROIAlign',
    opset: 'opset3',
    attributes: align,
    inputs: [twoByTwo, wholeMap, i64(0)],
    // 2.5, 3, 3.5 and 4 at the corners of the inner square.
    expected: [f32([1, 1, 1, 1], [3.25])],
  },
  {
    ...near,
    name: 'ROIAlign: half a pixel off, the largest sample',
    op: 'ROIAlign',
    opset: 'opset9',
    attributes: { ...align, mode: 'max', aligned_mode: 'half_pixel_for_nn' },
    inputs: [twoByTwo, wholeMap, i64(0)],
    expected: [f32([1, 1, 1, 1], [4])],
  },
  {
    ...near,
    name: 'ROIAlign: half a pixel before and behind the scale, as many samples as pixels',
    op: 'ROIAlign',
    opset: 'opset9',
    attributes: { ...align, sampling_ratio: '0', spatial_scale: '0.5', aligned_mode: 'half_pixel' },
    inputs: [twoByTwo, wholeMap, i64(0)],
    // The region is [−0.25, 0.75] on both axes: one sample at 0.25.
    expected: [f32([1, 1, 1, 1], [1.75])],
  },
  {
    ...near,
    name: 'ROIPooling: the largest of overlapping bins, a row that ends the list',
    op: 'ROIPooling',
    attributes: { pooled_h: '2', pooled_w: '2', spatial_scale: '0.5' },
    inputs: [threeByThree, f32([2, 5], [0, 0, 0, 4, 4, -1, 0, 0, 0, 0])],
    expected: [f32([2, 1, 2, 2], [5, 6, 8, 9, 0, 0, 0, 0])],
  },
  {
    ...near,
    name: 'ROIPooling: bilinear, corners as shares of the map',
    op: 'ROIPooling',
    attributes: { pooled_h: '2', pooled_w: '2', spatial_scale: '1', method: 'bilinear' },
    inputs: [threeByThree, f32([1, 5], [0, 0.25, 0.25, 0.75, 0.75])],
    expected: [f32([1, 1, 2, 2], [3, 4, 6, 7])],
  },
  {
    ...near,
    name: 'PSROIPooling: every bin has a channel',
    op: 'PSROIPooling',
    attributes: { output_dim: '1', group_size: '2', spatial_scale: '1' },
    inputs: [count([1, 4, 2, 2]), f32([1, 5], [0, 0, 0, 1, 1])],
    expected: [f32([1, 1, 2, 2], [0, 5, 10, 15])],
  },
  {
    ...near,
    name: 'PSROIPooling: bilinear, two spatial bins',
    op: 'PSROIPooling',
    attributes: { output_dim: '1', spatial_scale: '1', mode: 'bilinear', spatial_bins_x: '2' },
    inputs: [
      f32([1, 2, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]),
      f32([1, 5], [0, 0, 0, 1, 1]),
    ],
    // 4.5 in the first channel, 14.5 in the second.
    expected: [f32([1, 1, 1, 1], [9.5])],
  },
  {
    ...near,
    name: 'DeformablePSROIPooling: no offsets',
    op: 'DeformablePSROIPooling',
    attributes: { output_dim: '1', spatial_scale: '1', spatial_bins_x: '2', spatial_bins_y: '2' },
    inputs: [threeByThree, f32([2, 5], [0, 0, 0, 1, 1, -1, 0, 0, 0, 0])],
    // Samples at 0 and 0.5: 1, 1.5, 2.5 and 3.
    expected: [f32([2, 1, 1, 1], [2, 0])],
  },
  {
    ...near,
    name: 'DeformablePSROIPooling: a bin that moves a quarter of the region to the right',
    op: 'DeformablePSROIPooling',
    attributes: { output_dim: '1', spatial_scale: '1', spatial_bins_x: '2', spatial_bins_y: '2', trans_std: '0.5' },
    inputs: [threeByThree, f32([1, 5], [0, 0, 0, 1, 1]), f32([1, 2, 1, 1], [0.5, 0])],
    expected: [f32([1, 1, 1, 1], [2.25])],
  },
];

const rpn = {
  ...{ base_size: '4', pre_nms_topn: '9', post_nms_topn: '2', nms_thresh: '0.4', feat_stride: '4', min_size: '1' },
  ...{ ratio: '1', scale: '1' },
};
const twoCells = f32([1, 2, 1, 2], [0.4, 0.1, 0.6, 0.9]);

const proposalCases: readonly OpCase[] = [
  {
    ...near,
    name: 'Proposal: anchors of Caffe, a row that ends the list',
    op: 'Proposal',
    opset: 'opset4',
    attributes: rpn,
    inputs: [twoCells, f32([1, 4, 1, 2], [0, -0.5, 0, 0, 0, 0, 0, 0]), f32([3], [6, 8, 1])],
    // [2,0,6,4] and [0,0,4,4] share 15 of 35 pixels.
    expected: [f32([2, 5], [0, 2, 0, 6, 4, -1, 0, 0, 0, 0]), f32([2], [0.9, 0])],
  },
  {
    ...near,
    name: 'Proposal: anchors of TensorFlow, normalized',
    op: 'Proposal',
    opset: 'opset1',
    attributes: { ...rpn, framework: 'tensorflow', normalize: '1' },
    inputs: [twoCells, f32([1, 4, 1, 2], [0, 0, 0, 0, 0, 0, 0, 0]), f32([1, 4], [6, 8, 1, 1])],
    expected: [f32([2, 5], [0, 0, 1 / 3, 0.25, 1, 0, 0, 0, 0.25, 1 / 3])],
  },
  {
    ...near,
    name: 'GenerateProposalsSingleImage: a box twice as wide, filled up',
    op: 'ExperimentalDetectronGenerateProposalsSingleImage',
    attributes: { min_size: '0', nms_threshold: '0.7', pre_nms_count: '9', post_nms_count: '3' },
    inputs: [
      f32([3], [10, 10, 1]),
      f32([2, 4], [0, 0, 3, 3, 4, 4, 7, 7]),
      f32([8, 1, 1], [0, 0, Math.LN2, 0, 0, 0, 0, 0]),
      f32([2, 1, 1], [0.5, 0.7]),
    ],
    expected: [f32([3, 4], [4, 4, 7, 7, 0, 0, 5, 3, 0, 0, 0, 0]), f32([3], [0.7, 0.5, 0])],
  },
  {
    ...near,
    name: 'GenerateProposals: a box that is too small',
    op: 'GenerateProposals',
    attributes: { min_size: '3', nms_threshold: '0.7', pre_nms_count: '9', post_nms_count: '3', roi_num_type: 'i32' },
    inputs: [
      f32([1, 3], [10, 10, 1]),
      f32([1, 1, 2, 4], [0, 0, 4, 4, 4, 4, 6, 6]),
      f32([1, 8, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0]),
      f32([1, 2, 1, 1], [0.5, 0.7]),
    ],
    dynamic: true,
    expected: [f32([1, 4], [0, 0, 4, 4]), f32([1], [0.5]), typed('i32', [1], [1])],
  },
];

const detectronCases: readonly OpCase[] = [
  {
    ...exact,
    name: 'PriorGridGenerator: steps from the shapes',
    op: 'ExperimentalDetectronPriorGridGenerator',
    inputs: [f32([1, 4], [-1, -2, 1, 2]), count([1, 1, 1, 2]), count([1, 3, 4, 8])],
    expected: [f32([2, 4], [1, 0, 3, 4, 5, 0, 7, 4])],
  },
  {
    ...exact,
    name: 'TopKROIs: filled up',
    op: 'ExperimentalDetectronTopKROIs',
    attributes: { max_rois: '3' },
    inputs: [f32([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), f32([2], [-0.5, 0.25])],
    expected: [f32([3, 4], [5, 6, 7, 8, 1, 2, 3, 4, 0, 0, 0, 0])],
  },
  {
    ...near,
    name: 'DetectronDetectionOutput: one of two boxes, filled up',
    op: 'ExperimentalDetectronDetectionOutput',
    attributes: {
      ...{ score_threshold: '0.05', nms_threshold: '0.5', num_classes: '2', post_nms_count: '5' },
      ...{ max_detections_per_image: '3', max_delta_log_wh: '4', deltas_weights: '10,10,5,5' },
    },
    inputs: [
      f32([2, 4], [0, 0, 3, 3, 0, 0, 3, 4]),
      f32([2, 8], [0, 0, 0, 0, 2.5, 0, 0, 0, 0, 0, 0, 0, 2.5, 0, 0, 0]),
      f32([2, 2], [0.1, 0.9, 0.2, 0.8]),
      f32([1, 3], [9, 9, 1]),
    ],
    // Both move by a quarter of their four pixels; they share 16 of 20.
    expected: [f32([3, 4], [1, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0]), typed('i32', [3], [1, 0, 0]), f32([3], [0.9, 0, 0])],
  },
  {
    ...near,
    name: 'ROIFeatureExtractor: a small region on the finest map, one without area',
    op: 'ExperimentalDetectronROIFeatureExtractor',
    attributes: { output_size: '1', sampling_ratio: '2', pyramid_scales: '4,8' },
    inputs: [f32([2, 4], [0, 0, 8, 8, 3, 3, 3, 9]), twoByTwo, f32([1, 1, 1, 1], [9])],
    expected: [f32([2, 1, 1, 1], [3.25, 0]), f32([2, 4], [0, 0, 8, 8, 3, 3, 3, 9])],
  },
];

/** The first two share a half of their area. */
const boxes = [0, 0, 1, 3, 0, 1, 1, 4, 5, 5, 6, 6];

const selectionCases: readonly OpCase[] = [
  {
    ...near,
    name: 'MatrixNms: linear decay',
    op: 'MatrixNms',
    attributes: { score_threshold: '0.1', sort_result_type: 'score' },
    inputs: [f32([1, 3, 4], boxes), f32([1, 1, 3], [0.9, 0.8, 0.7])],
    dynamic: true,
    expected: [
      f32([3, 6], [0, 0.9, 0, 0, 1, 3, 0, 0.7, 5, 5, 6, 6, 0, 0.4, 0, 1, 1, 4]),
      typed('i64', [3, 1], [0, 2, 1]),
      typed('i64', [1], [3]),
    ],
  },
  {
    ...near,
    name: 'MatrixNms: Gaussian decay, a background, results of all images by class',
    op: 'MatrixNms',
    attributes: {
      ...{ decay_function: 'gaussian', gaussian_sigma: '2', background_class: '0', post_threshold: '0.5' },
      ...{ sort_result_across_batch: 'true', sort_result_type: 'classid', output_type: 'i32', keep_top_k: '1' },
    },
    inputs: [
      f32([2, 2, 4], [0, 0, 1, 3, 0, 1, 1, 4, 0, 0, 1, 3, 0, 1, 1, 4]),
      f32([2, 3, 2], [1, 1, 0, 0, 0.8, 0.9, 1, 1, 0.7, 0.6, 0, 0]),
    ],
    dynamic: true,
    // exp(−2 / 4) · 0.8 is below the threshold.
    expected: [
      f32([2, 6], [1, 0.7, 0, 0, 1, 3, 2, 0.9, 0, 1, 1, 4]),
      typed('i32', [2, 1], [2, 1]),
      typed('i32', [2], [1, 1]),
    ],
  },
  {
    ...near,
    name: 'MulticlassNms: the best of two classes, by class',
    op: 'MulticlassNms',
    opset: 'opset8',
    attributes: { score_threshold: '0.1', iou_threshold: '0.5', keep_top_k: '2', sort_result_type: 'classid' },
    inputs: [f32([1, 3, 4], boxes), f32([1, 2, 3], [0.9, 0.8, 0.7, 0.1, 0.95, 0])],
    dynamic: true,
    expected: [
      f32([2, 6], [0, 0.9, 0, 0, 1, 3, 1, 0.95, 0, 1, 1, 4]),
      typed('i64', [2, 1], [0, 1]),
      typed('i64', [1], [2]),
    ],
  },
  {
    ...near,
    name: 'MulticlassNms: classes with boxes of their own, two images',
    op: 'MulticlassNms',
    opset: 'opset9',
    attributes: { iou_threshold: '0.6', normalized: 'false' },
    inputs: [f32([1, 3, 4], boxes), f32([1, 3], [0.9, 0.8, 0.7]), i64(1, 2)],
    dynamic: true,
    expected: [
      f32([3, 6], [0, 0.9, 0, 0, 1, 3, 0, 0.8, 0, 1, 1, 4, 0, 0.7, 5, 5, 6, 6]),
      typed('i64', [3, 1], [0, 1, 2]),
      typed('i64', [2], [1, 2]),
    ],
  },
];

export const regionCases: readonly OpCase[] = [
  ...yoloCases,
  ...poolingCases,
  ...proposalCases,
  ...detectronCases,
  ...selectionCases,
];
