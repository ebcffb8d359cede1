import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { evaluate } from '../support/model-builder.ts';
import { cornerBoxes, expectNative, flag, modelOf, type Plan, seed, shares } from '../support/single-operation.ts';

const small = fc.integer({ min: 1, max: 6 });

/** Regions whose corners are some way outside of an image. */
function regionsOf(count: number, seed: number, [height, width]: readonly [number, number]): number[] {
  return cornerBoxes(count, seed, 1000).map((v, i) => (v * 1.4 - 0.2) * (i % 2 === 0 ? width : height));
}

/** Weights and sums of the kernel are floats: a few units in the last place of elements below 1. */
const near = 2e-6;

test('ROIAlign: both revisions, every alignment, mode and number of samples', async () => {
  const plan = fc.record({
    ...{
      images: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 40 }),
      height: small,
      width: small,
    },
    ...{ regions: small, bins: small, ratio: fc.integer({ min: 0, max: 3 }), scale: fc.constantFrom(1, 0.25, 0.3) },
    ...{ mode: fc.constantFrom('avg', 'max'), index: fc.constantFrom<ElementType>('i32', 'i64'), seed },
    aligned: fc.constantFrom(undefined, 'asymmetric', 'half_pixel_for_nn', 'half_pixel'),
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const corners = regionsOf(p.regions, p.seed, [p.height / p.scale, p.width / p.scale]);
      return expectNative(
        {
          ...{ op: 'ROIAlign', opset: p.aligned === undefined ? 'opset3' : 'opset9' },
          attributes: {
            ...{ pooled_h: p.bins, pooled_w: p.bins + 1, sampling_ratio: p.ratio, spatial_scale: p.scale },
            ...{ mode: p.mode, ...(p.aligned === undefined ? {} : { aligned_mode: p.aligned }) },
          },
          inputs: [
            shares([p.images, p.channels, p.height, p.width], p.seed, 1e6),
            tensor('f32', [p.regions, 4], corners),
            tensor(
              p.index,
              [p.regions],
              corners.filter((_, i) => i % 4 === 0).map((_, r) => r % p.images),
            ),
          ],
        },
        [],
        near,
      );
    }),
    { numRuns: 200 },
  );
});

test('ExperimentalDetectronROIFeatureExtractor: maps by area, and the regions themselves', async () => {
  const plan = fc.record({
    ...{ levels: fc.integer({ min: 1, max: 5 }), channels: small, regions: fc.integer({ min: 1, max: 12 }), seed },
    ...{ ratio: fc.integer({ min: 0, max: 2 }), isAligned: flag },
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const maps = Array.from({ length: p.levels }, (_, i) =>
        shares([1, p.channels, 40 >> i, 32 >> i], p.seed + i, 1e6),
      );
      const rois = regionsOf(p.regions, p.seed, [900, 700]);
      if (p.regions > 1) rois[2] = rois[0]!;
      const scales = [4, 8, 16, 32, 64];
      return expectNative(
        {
          ...{ op: 'ExperimentalDetectronROIFeatureExtractor', outputs: 2 },
          attributes: { output_size: 3, sampling_ratio: p.ratio, pyramid_scales: scales, aligned: p.isAligned },
          inputs: [tensor('f32', [p.regions, 4], rois), ...maps],
        },
        [],
        near,
      );
    }),
    { numRuns: 60 },
  );
});

/** Rows of a list: images in turn, and perhaps a row that ends it. */
function listOf(corners: readonly number[], images: number, end: number): Tensor {
  const rows = corners.length / 4;
  const row = (r: number) => [r === end ? -1 : r % images, ...corners.slice(4 * r, 4 * r + 4)];
  return tensor('f32', [rows, 5], Array.from({ length: rows }, (_, r) => row(r)).flat());
}

test('ROIPooling: the largest elements and bilinear samples, lists that end', async () => {
  const plan = fc.record({
    ...{
      images: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 40 }),
      height: small,
      width: small,
    },
    ...{ regions: small, bins: small, end: fc.constantFrom(-1, 0, 2), scale: fc.constantFrom(1, 0.25, 0.3), seed },
    method: fc.constantFrom('max', 'bilinear'),
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const isLargest = p.method === 'max';
      const sides = isLargest ? ([p.height / p.scale, p.width / p.scale] as const) : ([0.8, 0.8] as const);
      return expectNative(
        {
          ...{ op: 'ROIPooling', opset: 'opset2' },
          attributes: { pooled_h: p.bins, pooled_w: p.bins + 1, spatial_scale: p.scale, method: p.method },
          inputs: [
            shares([p.images, p.channels, p.height, p.width], p.seed, 1e6),
            listOf(regionsOf(p.regions, p.seed, sides), p.images, p.end),
          ],
        },
        [],
        isLargest ? 0 : near,
      );
    }),
    { numRuns: 200 },
  );
});

test('PSROIPooling and DeformablePSROIPooling: the elements of the reference in every mode', async () => {
  const plan = fc.record({
    ...{ images: fc.integer({ min: 1, max: 2 }), height: small, width: small, regions: small, outputs: small, seed },
    ...{ group: fc.integer({ min: 1, max: 4 }), binsX: fc.integer({ min: 1, max: 3 }), binsY: fc.constantFrom(1, 2) },
    ...{ end: fc.constantFrom(-1, 0, 2), scale: fc.constantFrom(1, 0.25, 0.3), part: fc.integer({ min: 1, max: 5 }) },
    ...{ mode: fc.constantFrom('average', 'bilinear', 'bilinear_deformable'), hasOffsets: flag, isByClass: flag },
  });
  await fc.assert(
    fc.asyncProperty(plan, (p) => {
      const isShare = p.mode === 'bilinear';
      const channels = p.outputs * (isShare ? p.binsX * p.binsY : p.group ** 2);
      const sides = isShare
        ? ([1 / p.scale, 1 / p.scale] as const)
        : ([p.height / p.scale, p.width / p.scale] as const);
      const isDeformable = p.mode === 'bilinear_deformable';
      const classes = p.isByClass ? p.outputs : 1;
      return expectNative({
        op: isDeformable ? 'DeformablePSROIPooling' : 'PSROIPooling',
        attributes: {
          ...{ output_dim: p.outputs, group_size: p.group, spatial_scale: p.scale, mode: p.mode },
          ...{ spatial_bins_x: p.binsX, spatial_bins_y: p.binsY },
          ...(isDeformable ? { trans_std: 0.1, part_size: p.part } : {}),
        },
        inputs: [
          shares([p.images, channels, p.height, p.width], p.seed, 1e6),
          listOf(regionsOf(p.regions, p.seed, sides), p.images, p.end),
          ...(isDeformable && p.hasOffsets ? [shares([p.regions, 2 * classes, p.part, p.part], p.seed, 1e6)] : []),
        ],
      });
    }),
    { numRuns: 200 },
  );
});

/** Both engines end with the same error. */
async function expectRefused(plan: Plan, message: RegExp): Promise<void> {
  const { model, feeds } = modelOf(plan);
  const refuses = (error: unknown): true => {
    assert.ok(error instanceof LowpError);
    assert.equal(error.code, 'ERR_SHAPE_MISMATCH');
    assert.match(error.message, message);
    return true;
  };
  await assert.rejects(evaluate(model, feeds), refuses);
  await using executable = await compileNative(model, { threads: 2 });
  await assert.rejects(executable.run(feeds), refuses);
}

const map: Tensor = shares([2, 3, 4, 4], 1, 100);

test('a region of an image that there is not ends the run with the same error on both engines', async () => {
  const align = { pooled_h: 1, pooled_w: 1, sampling_ratio: 1, spatial_scale: 1, mode: 'avg' };
  const rois = tensor('f32', [2, 4], [0, 0, 1, 1, 0, 0, 1, 1]);
  const images = tensor('i64', [2], [1, 2]);
  const plan = { op: 'ROIAlign', attributes: align, inputs: [map, rois, images] };
  await expectRefused(plan, /region 1 is in image 2, there are 2/);
  const list = tensor('f32', [2, 5], [0, 0, 0, 1, 1, -2, 0, 0, 1, 1]);
  const pool = { pooled_h: 1, pooled_w: 1, spatial_scale: 1 };
  await expectRefused(
    { op: 'ROIPooling', attributes: pool, inputs: [map, list] },
    /region 1 is in image -2, there are 2/,
  );
});
