/** Resize and Upsample. */
import type { OutputPort } from '../../../graph/node.ts';
import { toFloat64 } from '../../../tensor/convert.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const resizeImporters: ImporterTable = { Resize: resize, Upsample: upsample };

const modes = ['nearest', 'linear', 'cubic'] as const;
const coordinates = [
  'half_pixel',
  'pytorch_half_pixel',
  'asymmetric',
  'align_corners',
  'tf_half_pixel_for_nn',
  'tf_crop_and_resize',
  'half_pixel_symmetric',
] as const;
const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;

/** Operands of an Interpolate: one number per listed axis. */
interface Target {
  readonly kind: 'sizes' | 'scales';
  readonly values: readonly number[];
  readonly axes: readonly number[];
}

/** Upsample, and Resize of opset 10, place samples without shift and round down. */
function upsample(n: ImportNode): OutputPort[] {
  const scales = n.attributes.floats('scales') ?? knownFloats(n, 1) ?? n.attributes.fail('scales', 'is missing');
  const mode = n.attributes.choice('mode', ['nearest', 'linear', 'cubic'], 'nearest');
  return [interpolate(n, target(n, 'scales', scales), mode, 'asymmetric', 'floor')];
}

function resize(n: ImportNode): OutputPort[] {
  if (n.opset < 11) return upsample(n);
  const mode = n.attributes.choice('mode', modes, 'nearest');
  const coordinate = n.attributes.choice('coordinate_transformation_mode', coordinates, 'half_pixel');
  if (coordinate === 'tf_crop_and_resize' || coordinate === 'half_pixel_symmetric') {
    n.unsupported(`coordinate_transformation_mode '${coordinate}'`);
  }
  const rounding = n.attributes.choice('nearest_mode', roundings, 'round_prefer_floor');
  const policy = n.attributes.choice('keep_aspect_ratio_policy', ['stretch', 'not_larger', 'not_smaller'], 'stretch');
  if (policy !== 'stretch') n.unsupported(`keep_aspect_ratio_policy '${policy}'`);
  if (n.attributes.flag('exclude_outside')) n.unsupported('exclude_outside = 1');
  const sizes = n.knownInts(3, 'sizes');
  if (sizes) return [interpolate(n, target(n, 'sizes', sizes), mode, coordinate, rounding)];
  const scales = knownFloats(n, 2);
  if (!scales || scales.length === 0) n.invalid('it has neither sizes nor scales');
  return [interpolate(n, target(n, 'scales', scales), mode, coordinate, rounding)];
}

function knownFloats(n: ImportNode, index: number): number[] | undefined {
  const value = n.known(index, 'scales');
  return value && Array.from(toFloat64(value));
}

/** Leaves out axes that keep their size. */
function target(n: ImportNode, kind: Target['kind'], values: readonly number[]): Target {
  const rank = n.rank(0);
  const axes = (n.attributes.ints('axes') ?? Array.from({ length: rank }, (_, i) => i)).map((a) =>
    normalizeAxis(a, rank),
  );
  if (values.length !== axes.length) n.invalid(`it has ${values.length} ${kind} for ${axes.length} axes`);
  const wrong = values.find((v) => !(v > 0 && v < 2 ** 31));
  if (wrong !== undefined) n.invalid(`one of its ${kind} is ${wrong}`);
  const { shape } = n.input(0).fact;
  const changes = axes.flatMap((axis, i) => {
    const same = kind === 'scales' ? values[i] === 1 : values[i] === shape[axis];
    return same ? [] : [{ axis, value: values[i]! }];
  });
  return { kind, values: changes.map((c) => c.value), axes: changes.map((c) => c.axis) };
}

function interpolate(n: ImportNode, to: Target, mode: string, coordinate: string, rounding: string): OutputPort {
  const data = n.input(0);
  if (to.axes.length === 0) return data;
  if (n.attributes.flag('antialias') && shrinks(n, to)) n.unsupported('antialias = 1 with a scale below 1');
  const attributes = {
    mode: mode === 'linear' ? linearMode(n, to) : mode,
    shape_calculation_mode: to.kind,
    coordinate_transformation_mode: coordinate,
    nearest_mode: rounding,
    antialias: false,
    pads_begin: [0],
    pads_end: [0],
    cube_coeff: n.attributes.float('cubic_coeff_a') ?? -0.75,
  };
  const { shape } = data.fact;
  const sizes =
    to.kind === 'sizes'
      ? to.values
      : to.values.map((s, i) => (shape[to.axes[i]!]! < 0 ? 1 : Math.floor(shape[to.axes[i]!]! * s)));
  const scales = to.kind === 'scales' ? to.values : to.values.map((s, i) => s / Math.max(1, shape[to.axes[i]!]!));
  const scalePort = n.constant(tensor('f32', [scales.length], scales), 'scales');
  const inputs = [data, n.indices(sizes, 'sizes'), scalePort, n.indices(to.axes, 'axes')];
  return n.add('Interpolate', attributes, inputs, { opset: 'opset4' });
}

/** The plain two-point interpolation exists for spatial axes; the triangle filter covers the rest. */
function linearMode(n: ImportNode, to: Target): string {
  const rank = n.rank(0);
  const spatial = (rank === 4 || rank === 5) && to.axes.length === rank - 2 && to.axes.every((a) => a >= 2);
  return spatial ? 'linear_onnx' : 'linear';
}

function shrinks(n: ImportNode, to: Target): boolean {
  const { shape } = n.input(0).fact;
  return to.values.some((v, i) => (to.kind === 'scales' ? v < 1 : v < shape[to.axes[i]!]! || shape[to.axes[i]!]! < 0));
}
