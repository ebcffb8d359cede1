/** Spectra, windows of signals, sums over labels, and sampling at computed places. */
import type { OutputPort } from '../../../graph/node.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import { computeType, elementTypeOf } from '../data-types.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const signalImporters: ImporterTable = {
  Einsum: (n) => [
    n.add(
      'Einsum',
      { equation: n.attributes.string('equation') ?? n.attributes.fail('equation', 'is missing') },
      n.allInputs(),
    ),
  ],
  DFT: dft,
  STFT: stft,
  HannWindow: (n) => [cosineWindow(n, [0.5, -0.5])],
  HammingWindow: (n) => [cosineWindow(n, [25 / 46, -21 / 46])],
  BlackmanWindow: (n) => [cosineWindow(n, [0.42, -0.5, 0.08])],
  MelWeightMatrix: melWeightMatrix,
  GridSample: gridSample,
  AffineGrid: affineGrid,
};

/** `Σ a[i] · cos(2πi·n / N)`, N the size, or one less for a symmetric window. */
function cosineWindow(n: ImportNode, terms: readonly number[]): OutputPort {
  const size = n.reshaped(n.converted(n.input(0), 'f32'), [], 'size');
  const period = n.attributes.flag('periodic', true) ? size : n.with('Subtract', size, 1);
  const places = n.countTo(size);
  const turn = n.step('Divide', [n.with('Multiply', places, 2 * Math.PI), period]);
  let sum: OutputPort | undefined;
  for (const [i, factor] of terms.entries()) {
    const wave = n.with('Multiply', n.step('Cos', [n.with('Multiply', turn, i)]), factor);
    sum = sum ? n.step('Add', [sum, wave]) : wave;
  }
  const type = computeType(elementTypeOf(n.attributes.int('output_datatype') ?? 1, `the output of '${n.name}'`));
  return n.converted(sum!, type);
}

/**
 * Triangles over the bins of a spectrum whose corners are equally far apart in mels, `2595 · log10(1 + f / 700)`, rounded
 * down to whole bins: they rise from one corner to the next and fall to the one behind it.
 */
function melWeightMatrix(n: ImportNode): OutputPort[] {
  const input = (i: number) => n.converted(n.reshaped(n.input(i), [], `input.${i}`), 'f64');
  const [count, size, rate, low, high] = [input(0), input(1), input(2), input(3), input(4)];
  const scale = 2595 / Math.LN10;
  const mels = (f: OutputPort) =>
    n.with('Multiply', n.step('Log', [n.with('Add', n.with('Divide', f, 700), 1)]), scale);
  const first = mels(low);
  const corners = n.with('Add', count, 2);
  const step = n.step('Divide', [n.step('Subtract', [mels(high), first]), corners]);
  const at = n.step('Add', [n.step('Multiply', [n.countTo(corners), step]), first]);
  const hertz = n.with('Multiply', n.with('Subtract', n.step('Exp', [n.with('Divide', at, scale)]), 1), 700);
  const bins = n.step('Floor', [n.step('Divide', [n.step('Multiply', [hertz, n.with('Add', size, 1)]), rate])]);
  const corner = (i: number) => {
    const places = n.with('Add', n.countTo(n.converted(count, 'i64')), i);
    return n.step('Gather', [bins, places, n.scalar('i64', 0, 'axis')], { batch_dims: 0 });
  };
  const [left, middle, right] = [corner(0), corner(1), corner(2)];
  const half = n.with('Add', n.step('Floor', [n.with('Divide', size, 2)]), 1);
  const rows = n.step('Unsqueeze', [n.countTo(half), n.indices([1], 'axes')]);
  // A side without width is a step: it is 1 at the corner itself.
  const side = (distance: OutputPort, width: OutputPort) => {
    const divisor = n.with('Maximum', width, 1);
    return n.step('Divide', [n.step('Add', [distance, n.step('Subtract', [divisor, width])]), divisor]);
  };
  const rising = side(n.step('Subtract', [rows, left]), n.step('Subtract', [middle, left]));
  const falling = side(n.step('Subtract', [right, rows]), n.step('Subtract', [right, middle]));
  const weights = n.with('Maximum', n.step('Minimum', [rising, falling]), 0);
  const type = computeType(elementTypeOf(n.attributes.int('output_datatype') ?? 1, `the output of '${n.name}'`));
  return [n.converted(weights, type)];
}

/** The axis is an attribute before opset 20, an input since. Real signals have a last axis of one element. */
function dft(n: ImportNode): OutputPort[] {
  const [inverse, half] = [n.attributes.flag('inverse'), n.attributes.flag('onesided')];
  const rank = n.rank(0);
  const wide = n.input(0).fact.shape.at(-1);
  if (wide !== 1 && wide !== 2) n.unsupported('a last axis that is known neither as real nor as complex');
  const axes = dftAxes(n, rank);
  const length = n.optional(1) && n.reshaped(n.input(1), [1], 'length');
  const tail = length ? [axes, length] : [axes];
  const last = n.indices([-1], 'last');
  if (!half) return [n.step(inverse ? 'IDFT' : 'DFT', [complexInput(n, rank, wide), ...tail])];
  if (!inverse && wide === 1) return [n.step('RDFT', [n.step('Squeeze', [n.input(0), last]), ...tail])];
  if (inverse && wide === 2) return [n.step('Unsqueeze', [n.step('IRDFT', [n.input(0), ...tail]), last])];
  return n.unsupported('one side of the spectrum of complex numbers');
}

/** One axis, counted from the front as the complex axis may be gone. */
function dftAxes(n: ImportNode, rank: number): OutputPort {
  const port = n.opset < 20 ? undefined : n.optional(2);
  const given = n.opset < 20 ? (n.attributes.int('axis') ?? 1) : port ? n.ints(2)?.[0] : -2;
  if (given !== undefined) return n.indices([normalizeAxis(given, rank)], 'axes');
  const list = n.reshaped(n.converted(port!, 'i64'), [1], 'axes');
  return n.with('FloorMod', list, rank);
}

/** Real numbers get imaginary parts of zero. */
function complexInput(n: ImportNode, rank: number, wide: number): OutputPort {
  if (wide === 2) return n.input(0);
  const side = (end: number) =>
    n.indices(
      Array.from({ length: rank }, (_, i) => (i === rank - 1 ? end : 0)),
      'pads',
    );
  return n.step('Pad', [n.input(0), side(0), side(1)], { pad_mode: 'constant' });
}

/** Inputs: signal `[batch, length, 1]`, step, optional window, optional frame length. */
function stft(n: ImportNode): OutputPort[] {
  const signal = n.input(0);
  if (signal.fact.shape.length === 3 && signal.fact.shape[2] !== 1) n.unsupported('a complex signal');
  if (!n.attributes.flag('onesided', true)) n.unsupported('both sides of the spectrum');
  const real = signal.fact.shape.length === 3 ? n.step('Squeeze', [signal, n.indices([-1], 'last')]) : signal;
  const step = n.reshaped(n.input(1), [], 'step');
  const window = n.optional(2);
  const length =
    n.optional(3) ?? (window ? n.sizeOf(window, 0) : n.invalid('it has neither a window nor a frame length'));
  const frame = n.reshaped(length, [], 'length');
  const one = n.scalar(real.fact.type, 1, 'one');
  const flat = () => n.step('Broadcast', [one, n.reshaped(frame, [1], 'frame')], { mode: 'numpy' });
  return [n.step('STFT', [real, window ?? flat(), frame, step], { transpose_frames: false })];
}

const sampleModes = {
  linear: 'bilinear',
  bilinear: 'bilinear',
  cubic: 'bicubic',
  bicubic: 'bicubic',
  nearest: 'nearest',
};

function gridSample(n: ImportNode): OutputPort[] {
  const mode = n.attributes.choice('mode', ['linear', 'bilinear', 'cubic', 'bicubic', 'nearest'], 'linear');
  const attributes = {
    align_corners: n.attributes.flag('align_corners'),
    mode: sampleModes[mode],
    padding_mode: n.attributes.choice('padding_mode', ['zeros', 'border', 'reflection'], 'zeros'),
  };
  return [n.add('GridSample', attributes, [n.input(0), n.input(1)])];
}

/** Coordinates in [-1, 1] of the middles of the elements along one axis: `(2i + 1) / size - 1`, or with both ends. */
function coordinates(n: ImportNode, axis: number): OutputPort {
  const at = n.scalar('i64', axis, 'at');
  const picked = n.step('Gather', [n.input(1), at, n.scalar('i64', 0, 'axis')], { batch_dims: 0 });
  const size = n.converted(picked, 'f32');
  const places = n.with('Multiply', n.countTo(size), 2);
  const parts = n.attributes.flag('align_corners')
    ? [places, n.with('Subtract', size, 1)]
    : [n.with('Add', places, 1), size];
  return n.with('Subtract', n.step('Divide', parts), 1);
}

/** `theta · (x, y, 1)` at each place of an image, `theta · (x, y, z, 1)` at each place of a volume. */
function affineGrid(n: ImportNode): OutputPort[] {
  const spatial = (n.input(1).fact.shape[0] ?? 0) - 2;
  if (spatial !== 2 && spatial !== 3) n.invalid(`its size has ${spatial + 2} elements, expected 4 or 5`);
  const axes = Array.from({ length: spatial }, (_, i) => i);
  // The coordinates of axis i vary along axis i of the grid; the last axis comes first in a place.
  const lists = axes.map((i) => {
    const others = axes.filter((a) => a !== i);
    const list = coordinates(n, i + 2);
    return n.step('Unsqueeze', [list, n.indices(others, 'axes')]);
  });
  const every = lists.slice(1).reduce((sum, list) => n.step('Add', [sum, list]), lists[0]!);
  const zeros = n.with('Multiply', every, 0);
  const columns = [...lists.toReversed().map((list) => n.step('Add', [list, zeros])), n.with('Add', zeros, 1)];
  const places = n.step(
    'Concat',
    columns.map((c) => n.step('Unsqueeze', [c, n.indices([-1], 'last')])),
    { axis: spatial },
  );
  const flat = n.step('Reshape', [places, n.indices([-1, spatial + 1], 'flat')], { special_zero: false });
  const moved = n.step('MatMul', [flat, n.input(0)], { transpose_a: false, transpose_b: true });
  const list = n.indices([0, ...axes.map((i) => i + 2)], 'kept');
  const sizes = n.step('Gather', [n.input(1), list, n.scalar('i64', 0, 'axis')], { batch_dims: 0 });
  const shape = n.step('Concat', [sizes, n.constant(tensor('i64', [1], [spatial]), 'axes')], { axis: 0 });
  return [n.step('Reshape', [moved, shape], { special_zero: false })];
}
