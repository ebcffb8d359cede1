/** MaxPool, AveragePool, GlobalMaxPool and GlobalAveragePool. */
import type { OutputPort } from '../../../graph/node.ts';
import { elementCount, isStatic } from '../../../tensor/shape.ts';
import { zeros } from '../../../tensor/tensor.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { readSizes, readWindow, spatialRank, type Window } from './window.ts';

export const poolingImporters: ImporterTable = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalMaxPool: (n) => [global(n, 'ReduceMax')],
  GlobalAveragePool: (n) => [global(n, 'ReduceMean')],
  LpPool: lpPool,
  GlobalLpPool: globalLpPool,
  MaxUnpool: maxUnpool,
};

function maxPool(n: ImportNode): (OutputPort | undefined)[] {
  const columns = n.attributes.int('storage_order') ?? 0;
  const { dilations, ...window } = poolWindow(n);
  if (!n.outputNames[1] && dilations.every((d) => d === 1)) {
    return [n.add('MaxPool', window, [n.input(0)], { opset: 'opset1' })];
  }
  const attributes = { ...window, dilations, index_element_type: 'i64', axis: 0 };
  const [y, indices] = n.addAll('MaxPool', attributes, [n.input(0)], { opset: 'opset8' });
  return columns === 0 || !n.outputNames[1] ? [y, indices] : [y, columnMajor(n, indices!)];
}

/** Indices of planes stored by rows as indices of planes stored by columns; both count from the start of the tensor. */
function columnMajor(n: ImportNode, indices: OutputPort): OutputPort {
  const [height, width] = n.input(0).fact.shape.slice(2) as [number, number];
  if (n.rank(0) !== 4 || height < 0 || width < 0) n.unsupported('indices in column-major order of such a shape');
  const area = height * width;
  const inside = n.with('FloorMod', indices, area);
  const plane = n.step('Subtract', [indices, inside]);
  const column = n.with('FloorMod', inside, width);
  const row = n.with('Divide', n.step('Subtract', [inside, column]), width);
  return n.step('Add', [plane, n.step('Add', [n.with('Multiply', column, height), row])]);
}

/** Sums of all elements under a window, by a convolution of each channel with ones. */
function windowSums(n: ImportNode, x: OutputPort, kernel: readonly number[], window: Window): OutputPort {
  const channels = x.fact.shape[1]!;
  if (channels < 0) n.unsupported('a dynamic number of channels');
  const weights = zeros('f32', [channels, 1, 1, ...kernel]);
  weights.data.fill(1 as never);
  const ones = n.constant(weights, 'ones');
  return n.step('GroupConvolution', [x, ones], { ...window });
}

/** The window with zeros behind the input, so that sizes rounded down are those that `ceil_mode` rounds up. */
function roundedUp(n: ImportNode, window: Window, kernel: readonly number[]): Window {
  if (!n.attributes.flag('ceil_mode')) return window;
  const ends = window.pads_end.map((end, i) => {
    const size = n.input(0).fact.shape[i + 2]!;
    if (size < 0) n.unsupported('dynamic sizes that are rounded up together with this window');
    const [stride, begin] = [window.strides[i]!, window.pads_begin[i]!];
    const room = size + begin + end - (kernel[i]! - 1) * window.dilations[i]! - 1;
    const last = Math.ceil(room / stride) * stride;
    // A window that would start behind the input does not count.
    return last - begin >= size ? end : end + Math.max(0, last - room);
  });
  return { ...window, pads_end: ends };
}

function kernelOf(n: ImportNode): number[] {
  return readSizes(n, 'kernel_shape', spatialRank(n), 1) ?? n.attributes.fail('kernel_shape', 'is missing');
}

/** The sum under the window by the number of its elements: inside of the input, or of its padding too. */
function dilatedAverage(n: ImportNode): OutputPort {
  const x = n.input(0);
  const kernel = kernelOf(n);
  const given = readWindow(n, kernel.length);
  const window = roundedUp(n, given, kernel);
  const sum = windowSums(n, x, kernel, window);
  const ones = n.with('Add', n.with('Multiply', x, 0), 1);
  if (!n.attributes.flag('count_include_pad')) return n.step('Divide', [sum, windowSums(n, ones, kernel, window)]);
  const side = (list: readonly number[], name: string) => n.indices([0, 0, ...list], name);
  const pads = [side(given.pads_begin, 'begin'), side(given.pads_end, 'end'), n.scalar('f32', 1, 'one')];
  const padded = n.step('Pad', [ones, ...pads], { pad_mode: 'constant' });
  const behind = window.pads_end.map((end, i) => end - given.pads_end[i]!);
  const none = given.pads_begin.map(() => 0);
  return n.step('Divide', [sum, windowSums(n, padded, kernel, { ...window, pads_begin: none, pads_end: behind })]);
}

function power(n: ImportNode, x: OutputPort, p: number): OutputPort {
  return p === 1 ? x : n.with('Power', x, p);
}

/** `(Σ |x|^p)^(1/p)` under each window. */
function lpPool(n: ImportNode): OutputPort[] {
  const p = n.attributes.int('p') ?? 2;
  const kernel = kernelOf(n);
  const window = roundedUp(n, readWindow(n, kernel.length), kernel);
  const sum = windowSums(n, power(n, n.step('Abs', [n.input(0)]), p), kernel, window);
  return [power(n, sum, 1 / p)];
}

function globalLpPool(n: ImportNode): OutputPort[] {
  const p = n.attributes.int('p') ?? 2;
  const axes = n.indices(
    Array.from({ length: spatialRank(n) }, (_, i) => i + 2),
    'axes',
  );
  const sum = n.step('ReduceSum', [power(n, n.step('Abs', [n.input(0)]), p), axes], { keep_dims: true });
  return [power(n, sum, 1 / p)];
}

/** Puts each element where its index in the whole tensor says; zeros elsewhere. A given output shape adds zeros behind. */
function maxUnpool(n: ImportNode): OutputPort[] {
  const x = n.input(0);
  const kernel = kernelOf(n);
  const { strides, pads_begin, pads_end } = readWindow(n, kernel.length);
  const { shape } = x.fact;
  if (!isStatic(shape)) n.unsupported('dynamic sizes');
  const sizes = kernel.map((k, i) => (shape[i + 2]! - 1) * strides[i]! + k - pads_begin[i]! - pads_end[i]!);
  const natural = [...shape.slice(0, 2), ...sizes];
  const count = elementCount(natural);
  const flat = (port: OutputPort, name: string): OutputPort => n.reshaped(port, [elementCount(shape)], name);
  const zeros = n.step('Broadcast', [n.scalar(x.fact.type, 0, 'zero'), n.indices([count], 'count')], { mode: 'numpy' });
  const inputs = [zeros, flat(n.input(1), 'indices'), flat(x, 'values'), n.scalar('i64', 0, 'axis')];
  const placed = n.step('ScatterElementsUpdate', inputs, {}, { opset: 'opset3' });
  const whole = n.step('Reshape', [placed, n.indices(natural, 'shape')], { special_zero: false });
  const wanted = n.optional(2);
  if (!wanted) return [whole];
  const behind = n.step('Subtract', [wanted, n.indices(natural, 'natural')]);
  const before = n.indices(
    natural.map(() => 0),
    'before',
  );
  return [n.step('Pad', [whole, before, behind], { pad_mode: 'constant' })];
}

function averagePool(n: ImportNode): OutputPort[] {
  const { dilations, ...window } = poolWindow(n);
  if (dilations.some((d) => d !== 1)) return [dilatedAverage(n)];
  const excludePad = !n.attributes.flag('count_include_pad');
  return [n.add('AvgPool', { ...window, 'exclude-pad': excludePad }, [n.input(0)])];
}

function poolWindow(n: ImportNode) {
  const spatial = spatialRank(n);
  const kernel = readSizes(n, 'kernel_shape', spatial, 1) ?? n.attributes.fail('kernel_shape', 'is missing');
  const window = readWindow(n, spatial);
  return { ...window, kernel, rounding_type: n.attributes.flag('ceil_mode') ? ceiling(window, kernel) : 'floor' };
}

/** ONNX drops a last window that starts behind the input; that is `ceil_torch`, and plain `ceil` where none can. */
function ceiling(w: Window, kernel: readonly number[]): string {
  const never = kernel.every((k, i) => w.pads_end[i]! + w.strides[i]! <= (k - 1) * w.dilations[i]! + 1);
  return never ? 'ceil' : 'ceil_torch';
}

function global(n: ImportNode, type: string): OutputPort {
  const axes = Array.from({ length: spatialRank(n) }, (_, i) => i + 2);
  return n.add(type, { keep_dims: true }, [n.input(0), n.indices(axes, 'axes')]);
}
