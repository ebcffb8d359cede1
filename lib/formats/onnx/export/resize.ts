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

interface Rule {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubeCoefficient: number;
  readonly pads: readonly number[];
}

function interpolate(e: ExportNode): void {
  const { mode, coordinates, nearest, cubeCoefficient, pads } = ruleOf(e);
  if (pads.some((p) => p !== 0)) e.unsupported('padding');
  const { scales, sizes } = target(e);
  if (e.flag('antialias') && scales.some((s) => s < 1)) e.unsupported('antialias with a scale below 1');
  const attributes = {
    mode: modes[mode] ?? e.unsupported(`mode '${mode}'`),
    coordinate_transformation_mode: coordinates,
    nearest_mode: nearestMode(e, nearest, scales),
    cubic_coeff_a: cubeCoefficient,
  };
  if (sizes) {
    e.finish('Resize', [e.input(0), '', '', e.int64s(sizes, 'sizes')], attributes);
    return;
  }
  e.finish('Resize', [e.input(0), '', e.constant(tensor('f32', [scales.length], scales), 'scales')], attributes);
}

function isFirstRevision(e: ExportNode): boolean {
  return e.node.attributes.shape_calculation_mode === undefined;
}

/** The rule of a node; the first revision in the words of the later ones. */
function ruleOf(e: ExportNode): Rule {
  if (!isFirstRevision(e)) {
    return {
      mode: e.text('mode'),
      coordinates: e.text('coordinate_transformation_mode'),
      nearest: e.text('nearest_mode'),
      cubeCoefficient: e.number('cube_coeff'),
      pads: [...e.ints('pads_begin'), ...e.ints('pads_end')],
    };
  }
  return {
    mode: e.text('mode'),
    coordinates: e.flag('align_corners') ? 'align_corners' : 'asymmetric',
    nearest: 'simple',
    cubeCoefficient: -0.75,
    pads: [e.number('pads_begin'), e.number('pads_end')],
  };
}

/** One scale for every axis; sizes too when the operation counts by sizes. */
function target(e: ExportNode): { readonly scales: readonly number[]; readonly sizes?: readonly number[] } {
  const shape = e.shape(0);
  const bySizes = isFirstRevision(e) || e.text('shape_calculation_mode') === 'sizes';
  const fourInputs = e.node.notes.opset === 'opset4' || e.node.inputs.length === 4;
  const operand = e.known(bySizes || !fourInputs ? 1 : 2);
  const axes = axesOf(e, fourInputs ? 3 : 2);
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

function axesOf(e: ExportNode, port: number): number[] {
  const { length } = e.shape(0);
  const listed = isFirstRevision(e) ? e.ints('axes') : e.node.source(port) && e.knownInts(port, 'axes');
  return listed ? listed.map((a) => normalizeAxis(a, length)) : e.shape(0).map((_, i) => i);
}

/** `simple` rounds down when it enlarges and up when it shrinks. */
function nearestMode(e: ExportNode, mode: string, scales: readonly number[]): string {
  if (mode !== 'simple') return mode;
  const shrinks = scales.some((s) => s < 1);
  if (shrinks && scales.some((s) => s > 1)) e.unsupported("nearest_mode 'simple' that both shrinks and enlarges");
  return shrinks ? 'ceil' : 'floor';
}
