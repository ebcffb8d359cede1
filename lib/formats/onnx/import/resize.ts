/** Resize and Upsample. */
import type { OutputPort } from '../../../graph/node.ts';
import { toFloat64 } from '../../../tensor/convert.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { resampled } from './resample.ts';

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
  const mode = n.attributes.choice('mode', ['nearest', 'linear', 'cubic'], 'nearest');
  const scales = n.attributes.floats('scales') ?? floats(n, 1);
  const to = scales ? target(n, 'scales', scales) : computedTarget(n, 'scales', n.input(1));
  return [interpolate(n, to, mode, 'asymmetric', 'floor')];
}

function resize(n: ImportNode): OutputPort[] {
  if (n.opset < 11) return upsample(n);
  const mode = n.attributes.choice('mode', modes, 'nearest');
  const coordinate = n.attributes.choice('coordinate_transformation_mode', coordinates, 'half_pixel');
  const rounding = n.attributes.choice('nearest_mode', roundings, 'round_prefer_floor');
  const to = targetOf(n);
  const special = coordinate === 'tf_crop_and_resize' || coordinate === 'half_pixel_symmetric';
  const outside = n.attributes.flag('exclude_outside') && mode === 'cubic';
  if (!special && !outside && !filters(n, to)) return [interpolate(n, to, mode, coordinate, rounding)];
  if (mode === 'nearest') n.unsupported(`mode 'nearest' with coordinate_transformation_mode '${coordinate}'`);
  // Crops name all listed axes, also those that keep their size.
  const all = 'port' in to ? to : computedTarget(n, to.kind, n.input(to.kind === 'sizes' ? 3 : 2));
  return [resampled(n, { mode, coordinate, ...all })];
}

/** Sizes are used when they are there, else scales. */
function targetOf(n: ImportNode): Target | ComputedTarget {
  const policy = n.attributes.choice('keep_aspect_ratio_policy', ['stretch', 'not_larger', 'not_smaller'], 'stretch');
  const sizes = n.optional(3);
  if (sizes && policy !== 'stretch') return computedTarget(n, 'sizes', proportional(n, sizes, policy));
  const known = n.ints(3);
  if (known) return target(n, 'sizes', known);
  if (sizes) return computedTarget(n, 'sizes', sizes);
  const scales = n.optional(2);
  if (!scales || scales.fact.shape[0] === 0) n.invalid('it has neither sizes nor scales');
  const list = floats(n, 2);
  return list ? target(n, 'scales', list) : computedTarget(n, 'scales', n.input(2));
}

/** Sizes that keep the ratio of the axes: the smallest, or the largest, of the scales for all of them. */
function proportional(n: ImportNode, sizes: OutputPort, policy: string): OutputPort {
  const list = n.indices(axesOf(n), 'axes');
  const zero = n.scalar('i64', 0, 'axis');
  const present = n.converted(n.step('Gather', [n.shapeOf(n.input(0)), list, zero], { batch_dims: 0 }), 'f32');
  const scales = n.step('Divide', [n.converted(sizes, 'f32'), present]);
  const reduce = policy === 'not_larger' ? 'ReduceMin' : 'ReduceMax';
  const scale = n.step(reduce, [scales, n.indices([0], 'all')], { keep_dims: false });
  const rounded = n.step('Round', [n.step('Multiply', [present, scale])], { mode: 'half_away_from_zero' });
  return n.converted(rounded, 'i64');
}

function floats(n: ImportNode, index: number): number[] | undefined {
  const value = n.optional(index)?.fact.value;
  return value && Array.from(toFloat64(value));
}

function axesOf(n: ImportNode): number[] {
  const rank = n.rank(0);
  return (n.attributes.ints('axes') ?? Array.from({ length: rank }, (_, i) => i)).map((a) => normalizeAxis(a, rank));
}

/** Sizes or scales that are computed: all listed axes change. */
interface ComputedTarget {
  readonly kind: Target['kind'];
  readonly port: OutputPort;
  readonly axes: readonly number[];
}

function computedTarget(n: ImportNode, kind: Target['kind'], port: OutputPort): ComputedTarget {
  return { kind, port, axes: axesOf(n) };
}

/** Leaves out axes that keep their size. */
function target(n: ImportNode, kind: Target['kind'], values: readonly number[]): Target {
  const axes = axesOf(n);
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

function interpolate(
  n: ImportNode,
  to: Target | ComputedTarget,
  mode: string,
  coordinate: string,
  rounding: string,
): OutputPort {
  const data = n.input(0);
  if (to.axes.length === 0) return data;
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
  const [sizes, scales] = 'port' in to ? computedOperands(n, to) : constantOperands(n, to);
  return n.add('Interpolate', attributes, [data, sizes, scales, n.indices(to.axes, 'axes')], { opset: 'opset4' });
}

/** The operand that is not used holds ones. */
function computedOperands(n: ImportNode, { kind, port, axes }: ComputedTarget): [OutputPort, OutputPort] {
  const ones = axes.map(() => 1);
  if (kind === 'sizes') return [port, n.constant(tensor('f32', [ones.length], ones), 'scales')];
  return [n.indices(ones, 'sizes'), port];
}

function constantOperands(n: ImportNode, to: Target): [OutputPort, OutputPort] {
  const { shape } = n.input(0).fact;
  const sizes =
    to.kind === 'sizes'
      ? to.values
      : to.values.map((s, i) => (shape[to.axes[i]!]! < 0 ? 1 : Math.floor(shape[to.axes[i]!]! * s)));
  const scales = to.kind === 'scales' ? to.values : to.values.map((s, i) => s / Math.max(1, shape[to.axes[i]!]!));
  return [n.indices(sizes, 'sizes'), n.constant(tensor('f32', [scales.length], scales), 'scales')];
}

/** The plain two-point interpolation exists for spatial axes; the triangle filter covers the rest. */
function linearMode(n: ImportNode, to: { readonly axes: readonly number[] }): string {
  const rank = n.rank(0);
  const spatial = (rank === 4 || rank === 5) && to.axes.length === rank - 2 && to.axes.every((a) => a >= 2);
  return spatial ? 'linear_onnx' : 'linear';
}

/** With antialiasing an axis that shrinks is filtered; one of unknown size may. */
function filters(n: ImportNode, to: Target | ComputedTarget): boolean {
  return n.attributes.flag('antialias') && ('port' in to || shrinks(n, to));
}

function shrinks(n: ImportNode, to: Target): boolean {
  const { shape } = n.input(0).fact;
  return to.values.some((v, i) => (to.kind === 'scales' ? v < 1 : v < shape[to.axes[i]!]! || shape[to.axes[i]!]! < 0));
}
