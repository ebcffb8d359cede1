/** NonMaxSuppression, RoiAlign and MaxRoiPool. */
import type { OutputPort } from '../../../graph/node.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

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
  if (mode === 'max') n.unsupported("mode 'max' takes the largest weighted element, not the largest sample");
  const usual = n.opset < 16 ? 'output_half_pixel' : 'half_pixel';
  const transformation = n.attributes.choice(
    'coordinate_transformation_mode',
    ['half_pixel', 'output_half_pixel'],
    usual,
  );
  const attributes = {
    pooled_h: n.attributes.int('output_height') ?? 1,
    pooled_w: n.attributes.int('output_width') ?? 1,
    sampling_ratio: n.attributes.int('sampling_ratio') ?? 0,
    spatial_scale: n.attributes.float('spatial_scale') ?? 1,
    mode,
    aligned_mode: transformation === 'half_pixel' ? 'half_pixel_for_nn' : 'asymmetric',
  };
  return [n.add('ROIAlign', attributes, [n.input(0), n.input(1), n.input(2)], { opset: 'opset9' })];
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
