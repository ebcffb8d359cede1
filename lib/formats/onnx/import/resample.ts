/**
 * Resizing by matrices of weights, for the forms of Resize that Interpolate does not have: antialiasing, left out outside
 * elements, crops, symmetric half pixels. Each axis is one product with a matrix that is computed from the sizes.
 */
import type { OutputPort } from '../../../graph/node.ts';
import type { ImportNode } from './import-node.ts';

export interface Resampling {
  readonly mode: 'linear' | 'cubic';
  readonly coordinate: string;
  /** Sizes or scales, one for each of the axes. */
  readonly kind: 'sizes' | 'scales';
  readonly port: OutputPort;
  readonly axes: readonly number[];
}

/** What one axis becomes; all are scalars of f32, `places` is a column of coordinates in the input. */
interface Axis {
  readonly axis: number;
  readonly size: OutputPort;
  readonly target: OutputPort;
  readonly scale: OutputPort;
  readonly places: OutputPort;
}

export function resampled(n: ImportNode, r: Resampling): OutputPort {
  const x = n.converted(n.input(0), 'f32');
  const axes = r.axes.map((axis, i) => axisOf(n, r, axis, i));
  let y = x;
  for (const a of axes) y = alongAxis(n, r, y, a);
  if (r.coordinate !== 'tf_crop_and_resize') return n.converted(y, n.input(0).fact.type);
  const outside = n.scalar('f32', n.attributes.float('extrapolation_value') ?? 0, 'outside');
  for (const a of axes) y = n.step('Select', [insideOf(n, a, y.fact.shape.length), y, outside]);
  return n.converted(y, n.input(0).fact.type);
}

const zero = (n: ImportNode): OutputPort => n.scalar('i64', 0, 'axis');

function pick(n: ImportNode, list: OutputPort, at: number): OutputPort {
  return n.step('Gather', [list, n.scalar('i64', at, 'at'), zero(n)], { batch_dims: 0 });
}

function binary(n: ImportNode, type: string, a: OutputPort, b: OutputPort): OutputPort {
  return n.step(type, [a, b]);
}

function axisOf(n: ImportNode, r: Resampling, axis: number, i: number): Axis {
  const size = n.converted(n.sizeOf(n.input(0), axis), 'f32');
  const given = n.converted(pick(n, r.port, i), 'f32');
  const byScale = r.kind === 'scales';
  const target = byScale ? n.step('Floor', [binary(n, 'Multiply', size, given)]) : given;
  const scale = byScale ? given : binary(n, 'Divide', given, size);
  const row = n.countTo(target);
  const out = n.step('Unsqueeze', [row, n.indices([1], 'axes')]);
  return { axis, size, target, scale, places: placesOf(n, r, i, { size, target, scale, out }) };
}

type Sizes = Pick<Axis, 'size' | 'target' | 'scale'> & { readonly out: OutputPort };

/** The coordinate of each output in the input. */
function placesOf(n: ImportNode, r: Resampling, i: number, { size, target, scale, out }: Sizes): OutputPort {
  const middles = () => n.with('Subtract', binary(n, 'Divide', n.with('Add', out, 0.5), scale), 0.5);
  const last = (port: OutputPort) => n.with('Subtract', port, 1);
  switch (r.coordinate) {
    case 'half_pixel':
      return middles();
    case 'pytorch_half_pixel':
      return n.step('Select', [n.with('Greater', target, 1), middles(), n.scalar('f32', 0, 'first')]);
    case 'asymmetric':
      return binary(n, 'Divide', out, scale);
    case 'align_corners':
      return binary(n, 'Divide', binary(n, 'Multiply', out, last(size)), n.with('Maximum', last(target), 1));
    case 'half_pixel_symmetric': {
      const adjustment = binary(n, 'Divide', target, binary(n, 'Multiply', scale, size));
      const rest = n.with('Add', n.step('Negative', [adjustment]), 1);
      return n.step('Add', [binary(n, 'Multiply', n.with('Multiply', size, 0.5), rest), middles()]);
    }
    case 'tf_crop_and_resize': {
      const roi = n.converted(n.input(1), 'f32');
      const [begin, end] = [pick(n, roi, i), pick(n, roi, i + r.axes.length)];
      const step = binary(n, 'Divide', binary(n, 'Subtract', end, begin), n.with('Maximum', last(target), 1));
      const spread = binary(n, 'Add', begin, binary(n, 'Multiply', out, step));
      const middle = n.with('Multiply', binary(n, 'Add', begin, end), 0.5);
      const share = n.step('Select', [n.with('Greater', target, 1), spread, middle]);
      return binary(n, 'Multiply', share, last(size));
    }
    default:
      return n.unsupported(`coordinate_transformation_mode '${r.coordinate}' together with its other attributes`);
  }
}

/** One axis: elements around the input repeat its ends, then a product with the weights of each output. */
function alongAxis(n: ImportNode, r: Resampling, x: OutputPort, a: Axis): OutputPort {
  const stretch = n.attributes.flag('antialias') ? n.with('Minimum', a.scale, 1) : n.scalar('f32', 1, 'stretch');
  const reach = n.with('Add', n.step('Ceiling', [binary(n, 'Divide', n.scalar('f32', 2, 'two'), stretch)]), 1);
  const from = n.step('Negative', [reach]);
  const limits = [from, binary(n, 'Add', a.size, reach), n.scalar('f32', 1, 'step')];
  const positions = n.step('Range', limits, { output_type: 'f32' });
  const weights = weightsOf(n, r, a, positions, stretch);
  const last = n.with('Subtract', a.size, 1);
  const clamped = binary(n, 'Minimum', n.with('Maximum', positions, 0), last);
  const index = n.scalar('i64', a.axis, 'axis');
  const wide = n.step('Gather', [x, n.converted(clamped, 'i64'), index], { batch_dims: 0 });
  const rank = x.fact.shape.length;
  const order = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== a.axis);
  const forth = n.step('Transpose', [wide, n.indices([...order, a.axis], 'order')]);
  const product = n.step('MatMul', [forth, weights], { transpose_a: false, transpose_b: true });
  return n.step('Transpose', [
    product,
    n.indices(
      Array.from({ length: rank }, (_, i) => back(i, a.axis, rank)),
      'back',
    ),
  ]);
}

/** Where output axis `i` stands when `axis` was moved to the end. */
function back(i: number, axis: number, rank: number): number {
  if (i === axis) return rank - 1;
  return i < axis ? i : i - 1;
}

/** `[outputs, positions]`, rows that sum to one. */
function weightsOf(n: ImportNode, r: Resampling, a: Axis, positions: OutputPort, stretch: OutputPort): OutputPort {
  const distance = binary(n, 'Multiply', n.step('Abs', [binary(n, 'Subtract', a.places, positions)]), stretch);
  const plain =
    r.mode === 'linear' ? n.with('Maximum', n.with('Add', n.step('Negative', [distance]), 1), 0) : cubic(n, distance);
  const inside = n.step('LogicalAnd', [n.with('GreaterEqual', positions, 0), binary(n, 'Less', positions, a.size)]);
  const kept = n.attributes.flag('exclude_outside')
    ? n.step('Select', [inside, plain, n.scalar('f32', 0, 'none')])
    : plain;
  return binary(n, 'Divide', kept, n.step('ReduceSum', [kept, n.indices([1], 'axes')], { keep_dims: true }));
}

/** Keys' cubic: `((a + 2)d - (a + 3))d² + 1` up to 1, `((d - 5)d + 8)·a·d - 4a` up to 2. */
function cubic(n: ImportNode, d: OutputPort): OutputPort {
  const a = n.attributes.float('cubic_coeff_a') ?? -0.75;
  const square = binary(n, 'Multiply', d, d);
  const near = n.with('Add', binary(n, 'Multiply', n.with('Subtract', n.with('Multiply', d, a + 2), a + 3), square), 1);
  const inner = n.with('Add', binary(n, 'Multiply', n.with('Subtract', d, 5), d), 8);
  const far = n.with('Subtract', n.with('Multiply', binary(n, 'Multiply', inner, d), a), 4 * a);
  const zeroes = n.scalar('f32', 0, 'far');
  const tail = n.step('Select', [n.with('Less', d, 2), far, zeroes]);
  return n.step('Select', [n.with('LessEqual', d, 1), near, tail]);
}

/** Whether the coordinates of an axis lie in the input, shaped to stand on that axis. */
function insideOf(n: ImportNode, a: Axis, rank: number): OutputPort {
  const last = n.with('Subtract', a.size, 1);
  const both = n.step('LogicalAnd', [n.with('GreaterEqual', a.places, 0), binary(n, 'LessEqual', a.places, last)]);
  const shape = Array.from({ length: rank }, (_, i) => (i === a.axis ? -1 : 1));
  return n.step('Reshape', [both, n.indices(shape, 'shape')], { special_zero: false });
}
