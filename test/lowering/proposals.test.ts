import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { cornerBoxes, expectNative, flag, modelOf, seed, share, shares, spoiled } from '../support/single-operation.ts';

const small = fc.integer({ min: 1, max: 5 });

/** Numbers around 0, of which `steps` differ. */
function deltas(shape: Shape, seed: number, steps: number): Tensor {
  const x = shares(shape, seed, steps);
  return { ...x, data: (x.data as Float32Array).map((v) => v * 2 - 1) };
}

const common = {
  ...{ images: fc.integer({ min: 1, max: 3 }), rows: small, columns: small, steps: fc.constantFrom(5, 1000), seed },
  ...{ overlap: share, leastSize: fc.constantFrom(0, 6, 20), isSpoiled: flag },
  ...{ pre: fc.constantFrom(1, 7, 1000), post: fc.integer({ min: 1, max: 30 }) },
};

test('Proposal: both revisions, anchors of both frameworks, clips and units', async () => {
  const plan = fc.record({
    ...common,
    ...{ clipsBefore: flag, clipsAfter: flag, isNormalized: flag, isTensorflow: flag, hasScores: flag },
    ...{
      ratios: fc.constantFrom([1], [0.5, 1, 2]),
      scales: fc.constantFrom([2], [1, 3]),
      numbers: fc.constantFrom(3, 4),
    },
    boxScale: fc.constantFrom(1, 0.3, 5),
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const anchors = p.ratios.length * p.scales.length;
      const scores = shares([p.images, 2 * anchors, p.rows, p.columns], p.seed, p.steps);
      const moves = deltas([p.images, 4 * anchors, p.rows, p.columns], p.seed + 1, p.steps);
      return expectNative({
        ...{ op: 'Proposal', opset: p.hasScores ? 'opset4' : 'opset1', outputs: p.hasScores ? 2 : 1 },
        attributes: {
          ...{ base_size: 8, pre_nms_topn: p.pre, post_nms_topn: p.post, nms_thresh: p.overlap, feat_stride: 8 },
          ...{ min_size: p.leastSize, ratio: p.ratios, scale: p.scales, clip_before_nms: p.clipsBefore },
          ...{ clip_after_nms: p.clipsAfter, normalize: p.isNormalized, box_size_scale: p.boxScale },
          ...{ box_coordinate_scale: p.boxScale, framework: p.isTensorflow ? 'tensorflow' : '' },
        },
        inputs: [
          scores,
          p.isSpoiled ? spoiled(moves, p.seed) : moves,
          tensor('f32', [1, p.numbers], [40, 36, 1.1, 0.9].slice(0, p.numbers)),
        ],
      });
    }),
    { numRuns: 250 },
  );
});

/** Boxes of an image of 40 by 36 pixels. */
function anchorsOf(count: number, seed: number): number[] {
  return cornerBoxes(count, seed, 1000).map((v, i) => v * (i % 2 === 0 ? 36 : 40));
}

test('GenerateProposals: regions of all images behind each other, and how many there are', async () => {
  const plan = fc.record({
    ...{ ...common, anchors: small, numbers: fc.constantFrom(3, 4), isNormalized: flag },
    type: fc.constantFrom<ElementType>('i32', 'i64'),
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const cells = [p.rows, p.columns, p.anchors, 4];
      const moves = deltas([p.images, 4 * p.anchors, p.rows, p.columns], p.seed + 1, p.steps);
      const sizes = Array.from({ length: p.images }, (_, n) => [40 - n, 36, 1.1, 0.9].slice(0, p.numbers)).flat();
      return expectNative(
        {
          ...{ op: 'GenerateProposals', outputs: 3 },
          attributes: {
            ...{ min_size: p.leastSize, nms_threshold: p.overlap, pre_nms_count: p.pre, post_nms_count: p.post },
            ...{ normalized: p.isNormalized, roi_num_type: p.type },
          },
          inputs: [
            tensor('f32', [p.images, p.numbers], sizes),
            tensor('f32', cells, anchorsOf(elementCount(cells) / 4, p.seed)),
            p.isSpoiled ? spoiled(moves, p.seed) : moves,
            shares([p.images, p.anchors, p.rows, p.columns], p.seed + 2, p.steps),
          ],
        },
        ['FirstRows', 'FirstRows'],
      );
    }),
    { numRuns: 150 },
  );
});

test('ExperimentalDetectronGenerateProposalsSingleImage: as many rows as are asked for', async () => {
  const plan = fc.record({ ...common, anchors: small });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const count = p.rows * p.columns * p.anchors;
      const moves = deltas([4 * p.anchors, p.rows, p.columns], p.seed + 1, p.steps);
      return expectNative({
        ...{ op: 'ExperimentalDetectronGenerateProposalsSingleImage', outputs: 2 },
        attributes: {
          ...{ min_size: p.leastSize, nms_threshold: p.overlap, pre_nms_count: p.pre, post_nms_count: p.post },
        },
        inputs: [
          tensor('f32', [3], [40, 36, 1]),
          tensor('f32', [count, 4], anchorsOf(count, p.seed)),
          p.isSpoiled ? spoiled(moves, p.seed) : moves,
          shares([p.anchors, p.rows, p.columns], p.seed + 2, p.steps),
        ],
      });
    }),
    { numRuns: 150 },
  );
});

test('ExperimentalDetectronDetectionOutput: every class moves its own, and the best of all remain', async () => {
  const plan = fc.record({
    ...{ regions: fc.integer({ min: 1, max: 30 }), classes: fc.integer({ min: 2, max: 5 }), isSpoiled: flag, seed },
    ...{ steps: fc.constantFrom(5, 1000), overlap: share, least: share, most: fc.constantFrom(1, 5, 60) },
    ...{ classMost: fc.constantFrom(-1, 0, 2, 50), weights: fc.constantFrom([1, 1, 1, 1], [10, 10, 5, 0.3]) },
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const moves = deltas([p.regions, 4 * p.classes], p.seed + 1, p.steps);
      return expectNative({
        ...{ op: 'ExperimentalDetectronDetectionOutput', outputs: 3 },
        attributes: {
          ...{ score_threshold: p.least / 2, nms_threshold: p.overlap, num_classes: p.classes },
          ...{ post_nms_count: p.classMost, max_detections_per_image: p.most, max_delta_log_wh: 1.3 },
          deltas_weights: p.weights,
        },
        inputs: [
          tensor('f32', [p.regions, 4], anchorsOf(p.regions, p.seed)),
          p.isSpoiled ? spoiled(moves, p.seed) : moves,
          shares([p.regions, p.classes], p.seed + 2, p.steps),
          tensor('f32', [1, 3], [40, 36, 1]),
        ],
      });
    }),
    { numRuns: 200 },
  );
});

test('ExperimentalDetectronTopKROIs is TopK and Gather, filled up with 0', async () => {
  const plan = fc.record({ regions: fc.integer({ min: 1, max: 20 }), most: fc.integer({ min: 1, max: 25 }), seed });
  await fc.assert(
    fc.asyncProperty(plan, (p) =>
      expectNative({
        ...{ op: 'ExperimentalDetectronTopKROIs', attributes: { max_rois: p.most } },
        inputs: [shares([p.regions, 4], p.seed, 1000), shares([p.regions], p.seed + 1, 6)],
      }),
    ),
    { numRuns: 40 },
  );
});

test('more regions of ExperimentalDetectronTopKROIs than memory has are refused', async () => {
  const attributes = { max_rois: 2 ** 37 };
  const { model } = modelOf({
    ...{ op: 'ExperimentalDetectronTopKROIs', attributes },
    inputs: [shares([3, 4], 1, 9), shares([3], 2, 9)],
  });
  await assert.rejects(compileNative(model), (e) => e instanceof LowpError && e.code === 'ERR_LIMIT_SIZE');
});

test('ExperimentalDetectronPriorGridGenerator is a sum of anchors and centers', async () => {
  const plan = fc.record({
    anchors: small,
    rows: small,
    columns: small,
    isFlat: flag,
    stride: fc.constantFrom(0, 8),
    seed,
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) =>
      expectNative(
        {
          op: 'ExperimentalDetectronPriorGridGenerator',
          attributes: { flatten: p.isFlat, stride_x: p.stride, stride_y: p.stride },
          inputs: [
            shares([p.anchors, 4], p.seed, 1000),
            shares([1, 2, p.rows, p.columns], 1, 10),
            shares([1, 3, 50, 61], 2, 10),
          ],
        },
        [],
        // Centers are rounded before the sum: a unit in the last place of numbers up to 64.
        2 ** -17,
      ),
    ),
    { numRuns: 60 },
  );
});

test('Proposal: few of many candidates', async () => {
  const inputs = [shares([1, 18, 40, 50], 1, 1e6), deltas([1, 36, 40, 50], 2, 1e6), tensor('f32', [3], [640, 800, 1])];
  const attributes = {
    ...{ base_size: 16, pre_nms_topn: 6000, post_nms_topn: 300, nms_thresh: 0.7, feat_stride: 16, min_size: 16 },
    ...{ ratio: [0.5, 1, 2], scale: [8, 16, 32] },
  };
  await expectNative({ op: 'Proposal', opset: 'opset4', attributes, inputs, outputs: 2 });
});
