import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import type { Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { evaluate } from '../support/model-builder.ts';
import { cornerBoxes, expectNative, flag, modelOf, seed, share, shares, spoiled } from '../support/single-operation.ts';

test('DetectionOutput: every coding, ranking and cut', async () => {
  const plan = fc.record({
    ...{ images: fc.integer({ min: 1, max: 3 }), priors: fc.integer({ min: 1, max: 40 }) },
    ...{ classes: fc.integer({ min: 1, max: 20 }), steps: fc.constantFrom(5, 1000), seed },
    ...{ isShared: flag, isCenter: flag, isNormalized: flag, isEncoded: flag, isByBox: flag, isSpoiled: flag },
    ...{ clipsBefore: flag, clipsAfter: flag, hasStages: flag, sharesPriors: flag, isKnown: flag },
    ...{ background: fc.constantFrom(-1, 0, 1), topK: fc.constantFrom(-1, 0, 3, 100) },
    ...{ keepTopK: fc.constantFrom(-1, 2, 7, 500), overlap: fc.constantFrom(-0.1, 0, 0.3, 0.45, 1), least: share },
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const [size, locations] = [p.isNormalized ? 4 : 5, p.isShared ? 1 : p.classes];
      const scale = p.isNormalized ? 1 : 30;
      const defaults = Array.from({ length: p.sharesPriors ? 1 : p.images }, (_, n) => {
        const boxes = cornerBoxes(p.priors, p.seed + n, p.steps);
        const rows = Array.from({ length: p.priors }, (_, i) => boxes.slice(4 * i, 4 * i + 4).map((v) => v * scale));
        const priors = rows.flatMap((row) => (p.isNormalized ? row : [n, ...row]));
        return [...priors, ...priors.map((_, i) => 0.1 + 0.1 * (i % 2))];
      });
      const predicted = (by: number) => shares([p.images, p.priors * locations * 4], p.seed + by, p.steps);
      const own = predicted(10);
      const scores = shares([p.images, p.priors * p.classes], p.seed + 11, p.steps);
      const inputs = [
        p.isSpoiled ? spoiled(own, p.seed) : own,
        p.isSpoiled ? spoiled(scores, p.seed + 1) : scores,
        tensor('f32', [defaults.length, 2, p.priors * size], defaults.flat()),
        ...(p.hasStages ? [shares([p.images, p.priors * 2], p.seed + 12, p.steps), predicted(13)] : []),
      ];
      const attributes = {
        ...{ background_label_id: p.background, top_k: p.topK, keep_top_k: [p.keepTopK], share_location: p.isShared },
        ...{ code_type: p.isCenter ? 'center_size' : 'corner', normalized: p.isNormalized, num_classes: p.classes },
        ...{ nms_threshold: p.overlap, confidence_threshold: p.least, variance_encoded_in_target: p.isEncoded },
        ...{ clip_before_nms: p.clipsBefore, clip_after_nms: p.clipsAfter, decrease_label_id: p.isByBox },
        ...{ input_width: 30, input_height: 20, objectness_score: 0.4 },
      };
      return expectNative({
        ...{ op: 'DetectionOutput', opset: 'opset1', attributes, inputs },
        constants: p.isKnown ? [2] : [],
      });
    }),
    { numRuns: 300 },
  );
});

test('DetectionOutput: many priors of many classes', async () => {
  const [priors, classes] = [3000, 30];
  const defaults = cornerBoxes(priors, 3, 1000);
  const inputs = [
    shares([1, priors * 4], 4, 1000),
    shares([1, priors * classes], 5, 5000),
    tensor('f32', [1, 2, priors * 4], [...defaults, ...defaults.map(() => 0.1)]),
  ];
  const attributes = {
    ...{ num_classes: classes, top_k: 400, keep_top_k: [200], code_type: 'center_size', normalized: true },
    ...{ nms_threshold: 0.45, confidence_threshold: 0.3 },
  };
  await expectNative({ op: 'DetectionOutput', opset: 'opset1', attributes, inputs });
});

/** Limits of a NonMaxSuppression as its optional inputs. */
function limits(most: number, overlap: number, score: number, sigma?: number): readonly Tensor[] {
  const floats = [overlap, score, ...(sigma === undefined ? [] : [sigma])].map((v) => tensor('f32', [], [v]));
  return [tensor('i64', [], [most]), ...floats];
}

test('NonMaxSuppression: every revision, order and encoding, hard and soft', async () => {
  const plan = fc.record({
    ...{ images: fc.integer({ min: 1, max: 2 }), classes: fc.integer({ min: 1, max: 3 }) },
    ...{
      boxes: fc.integer({ min: 1, max: 60 }),
      most: fc.integer({ min: 1, max: 70 }),
      steps: fc.constantFrom(4, 1000),
    },
    ...{ overlap: share, score: share, sigma: fc.constantFrom(0, 0.1, 0.5), seed, isCenter: flag, isSorted: flag },
    ...{ opset: fc.constantFrom('opset1', 'opset3', 'opset4', 'opset5', 'opset9'), isSpoiled: flag },
    type: fc.constantFrom<ElementType>('i32', 'i64'),
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const counts = ['opset5', 'opset9'].includes(p.opset);
      const boxes = shares([p.images, p.boxes, 4], p.seed, p.steps);
      const scores = shares([p.images, p.classes, p.boxes], p.seed + 1, p.steps);
      return expectNative(
        {
          ...{ op: 'NonMaxSuppression', opset: p.opset, constants: [2, 3, 4, 5], outputs: counts ? 3 : 1 },
          attributes: {
            ...{ box_encoding: p.isCenter ? 'center' : 'corner', sort_result_descending: p.isSorted },
            ...(p.opset === 'opset1' ? {} : { output_type: p.type }),
          },
          inputs: [
            p.isSpoiled ? spoiled(boxes, p.seed) : boxes,
            p.isSpoiled ? spoiled(scores, p.seed + 1) : scores,
            ...limits(p.most, p.overlap, p.score, counts ? p.sigma : undefined),
          ],
        },
        counts ? ['FirstRows', 'FirstRows'] : [],
      );
    }),
    { numRuns: 300 },
  );
});

test('NonMaxSuppression: few of many candidates', async () => {
  const inputs = [shares([1, 5000, 4], 7, 1e5), shares([1, 2, 5000], 8, 1e5), ...limits(200, 0.5, 0.01)];
  const attributes = { box_encoding: 'corner', sort_result_descending: true, output_type: 'i64' };
  const plan = { op: 'NonMaxSuppression', opset: 'opset9', attributes, inputs, constants: [2, 3, 4], outputs: 3 };
  await expectNative(plan, ['FirstRows', 'FirstRows']);
});

test('NonMaxSuppression with computed limits, or limits that leave nothing, stays on the host', async () => {
  const inputs = (most: number) => [shares([1, 9, 4], 1, 100), shares([1, 1, 9], 2, 100), ...limits(most, 0.5, 0.1)];
  const common = { op: 'NonMaxSuppression', attributes: {} };
  const host = ['NonMaxSuppression'];
  await expectNative({ ...common, opset: 'opset9', inputs: inputs(3), constants: [2, 4], outputs: 3 }, host);
  await expectNative({ ...common, opset: 'opset9', inputs: inputs(0), constants: [2, 3, 4], outputs: 3 }, host);
  await expectNative({ ...common, opset: 'opset1', inputs: inputs(3), constants: [3, 4] }, host);
});

test('MatrixNms and MulticlassNms: every decay, order and cut', async () => {
  const plan = fc.record({
    ...{ images: fc.integer({ min: 1, max: 3 }), classes: fc.integer({ min: 1, max: 4 }), seed },
    ...{ boxes: fc.integer({ min: 1, max: 40 }), steps: fc.constantFrom(4, 1000), isSpoiled: flag },
    ...{
      topK: fc.constantFrom(-1, 3, 20),
      keepTopK: fc.constantFrom(-1, 2, 15),
      background: fc.constantFrom(-1, 0, 2),
    },
    ...{ order: fc.constantFrom('none', 'classid', 'score'), isAcross: flag, isNormalized: flag, least: share },
    ...{
      kind: fc.constantFrom('linear', 'gaussian', 'opset8', 'opset9'),
      threshold: share,
      eta: fc.constantFrom(1, 0.7),
    },
    ...{ type: fc.constantFrom<ElementType>('i32', 'i64'), sigma: fc.constantFrom(0.3, 2) },
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const isMatrix = p.kind === 'linear' || p.kind === 'gaussian';
      fc.pre(p.classes > 1 || p.background !== 0);
      const scores = shares([p.images, p.classes, p.boxes], p.seed + 1, p.steps);
      const corners = cornerBoxes(p.images * p.boxes, p.seed, p.steps).map((v) => v * (p.isNormalized ? 1 : 9));
      const boxes = tensor('f32', [p.images, p.boxes, 4], corners);
      return expectNative(
        {
          ...{ op: isMatrix ? 'MatrixNms' : 'MulticlassNms', opset: isMatrix ? 'opset8' : p.kind, outputs: 3 },
          attributes: {
            ...{ sort_result_type: p.order, sort_result_across_batch: p.isAcross, output_type: p.type },
            ...{ score_threshold: p.least / 3, nms_top_k: p.topK, keep_top_k: p.keepTopK, normalized: p.isNormalized },
            ...{ background_class: p.background },
            ...(isMatrix ? { decay_function: p.kind, gaussian_sigma: p.sigma, post_threshold: p.threshold / 3 } : {}),
            ...(isMatrix ? {} : { iou_threshold: p.threshold, nms_eta: p.eta }),
          },
          inputs: [p.isSpoiled ? spoiled(boxes, p.seed) : boxes, p.isSpoiled ? spoiled(scores, p.seed) : scores],
        },
        ['FirstRows', 'FirstRows'],
      );
    }),
    { numRuns: 400 },
  );
});

test('MulticlassNms of classes with boxes of their own stays on the host', async () => {
  const inputs = [shares([2, 5, 4], 1, 100), shares([2, 5], 2, 100), tensor('i32', [2], [2, 3])];
  await expectNative({ op: 'MulticlassNms', opset: 'opset9', attributes: {}, inputs, outputs: 3 }, ['MulticlassNms']);
});

test('CTCGreedyDecoder and CTCGreedyDecoderSeqLen: masks, lengths, blanks and repetitions', async () => {
  const plan = fc.record({
    ...{ batch: fc.integer({ min: 1, max: 3 }), steps: fc.integer({ min: 1, max: 12 }) },
    ...{ classes: fc.integer({ min: 1, max: 5 }), seed, merges: flag, isSpoiled: flag },
    ...{ blank: fc.constantFrom(undefined, -1, 0, 2), length: fc.constantFrom<ElementType>('i32', 'i64') },
    ...{ index: fc.constantFrom<ElementType>('i32', 'i64') },
  });
  await fc.assert(
    fc.asyncProperty(plan, async (p) => {
      const scores = (shape: Shape) => {
        const coarse = shares(shape, p.seed, 4);
        return p.isSpoiled ? spoiled(coarse, p.seed) : coarse;
      };
      const mask = shares([p.steps, p.batch], p.seed + 1, 7);
      await expectNative({
        op: 'CTCGreedyDecoder',
        attributes: { ctc_merge_repeated: p.merges },
        inputs: [scores([p.steps, p.batch, p.classes]), mask],
      });
      const lengths = (shares([p.batch], p.seed + 2, p.steps + 1).data as Float32Array).map((v) =>
        Math.round(v * (p.steps + 1)),
      );
      await expectNative({
        op: 'CTCGreedyDecoderSeqLen',
        attributes: { merge_repeated: p.merges, classes_index_type: p.index, sequence_length_type: 'i32' },
        inputs: [
          scores([p.batch, p.steps, p.classes]),
          tensor(p.length, [p.batch], [...lengths]),
          ...(p.blank === undefined ? [] : [tensor('i32', [], [p.blank])]),
        ],
        ...{ constants: [2], outputs: 2 },
      });
    }),
    { numRuns: 150 },
  );
});

test('a sequence that is longer than its scores ends the run with the same error on both engines', async () => {
  const inputs = [shares([2, 3, 4], 1, 9), tensor('i64', [2], [3, 4])];
  const { model, feeds } = modelOf({ op: 'CTCGreedyDecoderSeqLen', attributes: {}, inputs, outputs: 2 });
  const refuses = (error: unknown): true => {
    assert.ok(error instanceof LowpError);
    assert.equal(error.code, 'ERR_SHAPE_MISMATCH');
    assert.match(error.message, /sequence 1 has the length 4, expected 0 to 3/);
    return true;
  };
  await assert.rejects(evaluate(model, feeds), refuses);
  await using executable = await compileNative(model, { threads: 2 });
  await assert.rejects(executable.run(feeds), refuses);
});
