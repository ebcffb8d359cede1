/** Interpolate as Resize. */
import { toFloat64 } from '../../../tensor/convert.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { ExporterTable, ExportNode } from './export-node.ts';

export const resizeExporters: ExporterTable = { Interpolate: interpolate };

const modes: Readonly<Record<string, string>> = {
  nearest: 'nearest',
  linear: 'linear',
  linear_onnx: 'linear',
  cubic: 'cubic',
};

function interpolate(e: ExportNode): void {
  const mode = modes[e.text('mode')];
  if (mode === undefined || e.node.attributes.shape_calculation_mode === undefined) {
    e.unsupported(`mode '${e.text('mode')}' of this revision`);
  }
  if ([...e.ints('pads_begin'), ...e.ints('pads_end')].some((p) => p !== 0)) e.unsupported('padding');
  const { scales, sizes } = target(e);
  if (e.flag('antialias') && scales.some((s) => s < 1)) e.unsupported('antialias with a scale below 1');
  const attributes = {
    mode,
    coordinate_transformation_mode: e.text('coordinate_transformation_mode'),
    nearest_mode: nearestMode(e, scales),
    cubic_coeff_a: e.number('cube_coeff'),
  };
  if (sizes) {
    e.finish('Resize', [e.input(0), '', '', e.int64s(sizes, 'sizes')], attributes);
    return;
  }
  e.finish('Resize', [e.input(0), '', e.constant(tensor('f32', [scales.length], scales), 'scales')], attributes);
}

/** One scale for every axis; sizes too when the operation counts by sizes. */
function target(e: ExportNode): { readonly scales: readonly number[]; readonly sizes?: readonly number[] } {
  const shape = e.shape(0);
  const bySizes = e.text('shape_calculation_mode') === 'sizes';
  const fourInputs = e.node.notes.opset === 'opset4' || e.node.inputs.length === 4;
  const operand = e.known(bySizes || !fourInputs ? 1 : 2);
  const axesAt = fourInputs ? 3 : 2;
  const axes = e.node.source(axesAt)
    ? e.knownInts(axesAt, 'axes').map((a) => normalizeAxis(a, shape.length))
    : shape.map((_, i) => i);
  if (!operand) return e.unsupported('its sizes or scales must be constant');
  const values = toFloat64(operand);
  if (!bySizes) {
    const scales = shape.map((_, i) => (axes.includes(i) ? values[axes.indexOf(i)]! : 1));
    return { scales };
  }
  const sizes = shape.map((d, i) => (axes.includes(i) ? values[axes.indexOf(i)]! : d));
  if (shape.some((d) => d < 0)) return e.unsupported('sizes for an input with dynamic dimensions');
  return { scales: sizes.map((s, i) => s / shape[i]!), sizes };
}

/** `simple` rounds down when it enlarges and up when it shrinks. */
function nearestMode(e: ExportNode, scales: readonly number[]): string {
  const mode = e.text('nearest_mode');
  if (mode !== 'simple') return mode;
  const shrinks = scales.some((s) => s < 1);
  if (shrinks && scales.some((s) => s > 1)) e.unsupported("nearest_mode 'simple' that both shrinks and enlarges");
  return shrinks ? 'ceil' : 'floor';
}
