/** NonMaxSuppression, DetectionOutput and ROIAlign. */
import { toFloat32 } from '../../../tensor/convert.ts';
import { tensor } from '../../../tensor/tensor.ts';
import { onnxTypeOf } from '../data-types.ts';
import { detectionOutput } from './detection-output.ts';
import type { ExporterTable, ExportNode } from './export-node.ts';
import { castTo, concatenated, part, ranked, reshaped, single, unsqueezed } from './steps.ts';

export const detectionExporters: ExporterTable = {
  DetectionOutput: detectionOutput,
  NonMaxSuppression: nonMaxSuppression,
  ROIAlign: roiAlign,
};

/** Revisions that drop a box whose overlap is equal to the threshold. */
const dropsAtThreshold = new Set(['opset1', 'opset3', 'opset4', 'opset5']);

function nonMaxSuppression(e: ExportNode): void {
  if (e.node.source(5) && e.known(5)?.data.every((v) => Number(v) === 0) !== true) e.unsupported('soft suppression');
  const scores = single(e, 1, 'single_scores');
  const limits = [most(e), overlap(e), threshold(e)];
  const attributes = { center_point_box: e.text('box_encoding') === 'center' ? 1n : 0n };
  let picked = e.step('NonMaxSuppression', [single(e, 0, 'single_boxes'), scores, ...limits], 'picked', attributes);
  let score = e.step('GatherND', [scores, picked], 'score');
  if (e.flag('sort_result_descending')) {
    const { values, positions } = ranked(e, score, e.step('Shape', [score], 'found'), 0, 'by_score');
    score = values;
    picked = e.step('Gather', [picked, positions], 'sorted', { axis: 0n });
  }
  if (e.node.outputs.length === 1) allRows(e, picked);
  else foundRows(e, picked, score);
}

/** Absent limits are 0. */
function most(e: ExportNode): string {
  return e.node.source(2) ? reshaped(e, e.int64(2, 'most_wide'), [1], 'most') : e.int64s([0], 'most');
}

function threshold(e: ExportNode): string {
  if (!e.node.source(4)) return e.constant(tensor('f32', [1], [0]), 'threshold');
  return reshaped(e, single(e, 4, 'single_threshold'), [1], 'threshold');
}

/** ONNX drops what is above the threshold: at a threshold is above the next smaller number. */
function overlap(e: ExportNode): string {
  if (!dropsAtThreshold.has(e.node.notes.opset ?? '')) {
    if (!e.node.source(3)) return e.constant(tensor('f32', [1], [0]), 'overlap');
    return reshaped(e, single(e, 3, 'single_overlap'), [1], 'overlap');
  }
  const value = e.node.source(3) ? e.known(3) : tensor('f32', [], [0]);
  if (!value) return e.unsupported('an overlap threshold of this revision that is computed');
  const limit = Float32Array.of(toFloat32(value)[0]!);
  if (!(limit[0]! > 0)) e.unsupported('an overlap threshold of 0 of this revision');
  new Uint32Array(limit.buffer)[0]! -= 1;
  return e.constant(tensor('f32', [1], limit), 'overlap');
}

/** Indices in as many rows as there may be, −1 in those that are left over. */
function allRows(e: ExportNode, picked: string): void {
  const { type, shape } = e.node.output.fact;
  const rows = shape[0]!;
  if (rows < 0) e.unsupported('a number of rows that is not known');
  const empty = e.constant(tensor('i64', [rows, 3], new BigInt64Array(3 * rows).fill(-1n)), 'empty');
  const filled = part(e, concatenated(e, [picked, empty], 0, 'filled'), 0, 0, rows, 'rows');
  e.finish('Cast', [filled], { to: BigInt(onnxTypeOf(type)) });
}

/** Indices; image, class and score; and the number of rows. */
function foundRows(e: ExportNode, picked: string, score: string): void {
  const [indices, scores, count] = e.node.outputs;
  const typed = (value: string, port: (typeof e.node.outputs)[0]): void =>
    e.finish('Cast', [value], { to: BigInt(onnxTypeOf(port.fact.type)) }, [port]);
  typed(picked, indices!);
  const numbers = castTo(e, part(e, picked, 1, 0, 2, 'of'), 'f32', 'numbers');
  typed(concatenated(e, [numbers, unsqueezed(e, score, [1], 'column')], 1, 'scored'), scores!);
  typed(e.step('Shape', [score], 'count'), count!);
}

/** ONNX shifts pixels behind the scale or not at all, and takes the largest of other numbers. */
function roiAlign(e: ExportNode): void {
  if (e.text('mode') !== 'avg') e.unsupported(`mode '${e.text('mode')}'`);
  const spelled: Readonly<Record<string, string>> = { '': 'output_half_pixel', asymmetric: 'output_half_pixel' };
  const aligned = e.text('aligned_mode');
  const mode = aligned === 'half_pixel_for_nn' ? 'half_pixel' : spelled[aligned];
  e.finish('RoiAlign', [e.input(0), e.input(1), e.int64(2, 'images')], {
    mode: 'avg',
    coordinate_transformation_mode: mode ?? e.unsupported(`aligned_mode '${aligned}'`),
    output_height: BigInt(e.number('pooled_h')),
    output_width: BigInt(e.number('pooled_w')),
    sampling_ratio: BigInt(e.number('sampling_ratio')),
    spatial_scale: e.number('spatial_scale'),
  });
}
