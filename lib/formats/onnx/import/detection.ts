/** NonMaxSuppression, RoiAlign and MaxRoiPool. */
import type { OutputPort } from '../../../graph/node.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { roiAlignMax } from './roi-align-max.ts';

export const detectionImporters: ImporterTable = {
  NonMaxSuppression: nonMaxSuppression,
  RoiAlign: roiAlign,
  MaxRoiPool: maxRoiPool,
};

/** Without a threshold every score counts; results are ordered by image and class. */
function nonMaxSuppression(n: ImportNode): (OutputPort | undefined)[] {
  const inputs = [
    n.input(0),
    n.input(1),
    n.optional(2) ?? n.scalar('i64', 0, 'most'),
    n.optional(3) ?? n.scalar('f32', 0, 'overlap'),
    n.optional(4) ?? n.scalar('f32', Number.NEGATIVE_INFINITY, 'score'),
  ];
  const attributes = {
    box_encoding: n.attributes.flag('center_point_box') ? 'center' : 'corner',
    sort_result_descending: false,
    output_type: 'i64',
  };
  return [n.add('NonMaxSuppression', attributes, inputs, { opset: 'opset9' })];
}

/** Up to opset 15 pixels are not centered; from 16 on they are unless the node says otherwise. */
function roiAlign(n: ImportNode): OutputPort[] {
  const mode = n.attributes.choice('mode', ['avg', 'max'], 'avg');
  const usual = n.opset < 16 ? 'output_half_pixel' : 'half_pixel';
  const transformation = n.attributes.choice(
    'coordinate_transformation_mode',
    ['half_pixel', 'output_half_pixel'],
    usual,
  );
  const isHalf = transformation === 'half_pixel';
  const sizes = {
    pooled_h: n.attributes.int('output_height') ?? 1,
    pooled_w: n.attributes.int('output_width') ?? 1,
    sampling_ratio: n.attributes.int('sampling_ratio') ?? 0,
    spatial_scale: n.attributes.float('spatial_scale') ?? 1,
  };
  const attributes = { ...sizes, mode, aligned_mode: isHalf ? 'half_pixel_for_nn' : 'asymmetric' };
  const inputs = [n.input(0), n.input(1), n.input(2)];
  if (mode === 'avg') return [n.add('ROIAlign', attributes, inputs, { opset: 'opset9' })];
  const [, , height, width] = n.input(0).fact.shape;
  if (sizes.sampling_ratio < 1) n.unsupported("mode 'max' with a number of samples that depends on the regions");
  if (height === undefined || width === undefined) n.invalid(`its input has rank ${n.rank(0)}, expected 4`);
  if (height! < 1 || width! < 1) n.unsupported("mode 'max' on images of dynamic size");
  return [roiAlignMax(n, { ...sizes, isHalf })];
}

function maxRoiPool(n: ImportNode): OutputPort[] {
  const [height, width] = n.attributes.ints('pooled_shape') ?? n.attributes.fail('pooled_shape', 'is missing');
  const attributes = {
    pooled_h: height,
    pooled_w: width,
    spatial_scale: n.attributes.float('spatial_scale') ?? 1,
    method: 'max',
  };
  return [n.add('ROIPooling', attributes, [n.input(0), n.input(1)], { opset: 'opset2' })];
}
