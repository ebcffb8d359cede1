/** Operations that put elements in another order, or mark their places. */
import { toIntegers } from '../../../tensor/convert.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import { onnxTypeOf } from '../data-types.ts';
import { bigints, type ExporterTable, type ExportNode } from './export-node.ts';
import { concatenated, reshaped, unsqueezed } from './steps.ts';

export const arrangingExporters: ExporterTable = {
  ShuffleChannels: shuffleChannels,
  Reverse: reverse,
  ScatterUpdate: scatterUpdate,
  OneHot: oneHot,
  Unique: unique,
  GridSample: gridSample,
};

/** An end in front of the first element. */
const farFront = -Number.MAX_SAFE_INTEGER;

/** The axis as groups and what is in them, which change places. */
function shuffleChannels(e: ExportNode): void {
  const shape = e.shape(0);
  if (shape.some((d) => d < 0)) e.unsupported('dynamic sizes');
  const axis = normalizeAxis(e.number('axis'), shape.length);
  const groups = e.number('group');
  const apart = reshaped(e, e.input(0), shape.toSpliced(axis, 1, groups, shape[axis]! / groups), 'groups');
  const order = Array.from({ length: shape.length + 1 }, (_, i) => i).toSpliced(axis, 2, axis + 1, axis);
  const shuffled = e.step('Transpose', [apart], 'shuffled', { perm: bigints(order) });
  e.finish('Reshape', [shuffled, e.int64s(shape, 'shape')]);
}

function reverse(e: ExportNode): void {
  const listed = e.knownInts(1, 'axes');
  const marked = e.text('mode') === 'mask' ? listed.flatMap((m, i) => (m === 0 ? [] : [i])) : listed;
  const axes = marked.map((a) => normalizeAxis(a, e.shape(0).length));
  const list = (name: string, value: number) => e.int64s(new Array<number>(axes.length).fill(value), name);
  if (axes.length === 0) e.finish('Identity', [e.input(0)]);
  else
    e.finish('Slice', [
      e.input(0),
      list('starts', -1),
      list('ends', farFront),
      e.int64s(axes, 'axes'),
      list('steps', -1),
    ]);
}

/** Slices along the first axis; any other one changes places with it. */
function scatterUpdate(e: ExportNode): void {
  const [rank, indices] = [e.shape(0).length, e.shape(1).length];
  const axis = e.knownAxis(3);
  const at = unsqueezed(e, e.int64(1, 'indices'), [indices], 'places');
  if (axis === 0) {
    e.finish('ScatterND', [e.input(0), at, e.input(2)]);
    return;
  }
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const front = [axis, ...range(0, axis), ...range(axis + 1, rank)];
  const ofUpdates = [...range(axis, axis + indices), ...range(0, axis), ...range(axis + indices, rank + indices - 1)];
  const data = e.step('Transpose', [e.input(0)], 'data', { perm: bigints(front) });
  const updates = e.step('Transpose', [e.input(2)], 'updates', { perm: bigints(ofUpdates) });
  const written = e.step('ScatterND', [data, at, updates], 'written');
  e.finish('Transpose', [written], { perm: bigints(front.map((_, i) => front.indexOf(i))) });
}

/** In ONNX a negative index counts from the end; here it marks nothing, as one behind the end does. */
function oneHot(e: ExportNode): void {
  const depth = reshaped(e, e.int64(1, 'wide_depth'), [1], 'depth');
  const index = e.int64(0, 'indices');
  const isNegative = e.step('Less', [index, e.scalar('i64', 0, 'zero')], 'is_negative');
  const marked = e.step('Where', [isNegative, depth, index], 'marked');
  const values = [3, 2].map((i) => reshaped(e, e.input(i), [1], `value_${i}`));
  e.finish('OneHot', [marked, depth, concatenated(e, values, 0, 'values')], { axis: BigInt(e.number('axis')) });
}

/** Indices and counts are i64 in ONNX. */
function unique(e: ExportNode): void {
  const axis = e.known(1);
  if (e.node.source(1) && !axis) e.unsupported('an axis that is computed');
  const outputs = e.node.outputs.map((port, i) =>
    i === 0 || port.fact.type === 'i64' ? e.writer.nameOf(port) : e.writer.unique(`${e.node.name}/wide_${i}`),
  );
  const attributes = { sorted: e.flag('sorted') ? 1n : 0n, ...(axis ? { axis: BigInt(toIntegers(axis)[0]!) } : {}) };
  e.writer.node('Unique', [e.input(0)], outputs, attributes, e.node.name);
  for (const [i, port] of e.node.outputs.entries()) {
    if (i > 0 && port.fact.type !== 'i64')
      e.finish('Cast', [outputs[i]!], { to: BigInt(onnxTypeOf(port.fact.type)) }, [port]);
  }
}

function gridSample(e: ExportNode): void {
  if (e.shape(0).length !== 4) e.unsupported('samples of anything but images');
  e.finish('GridSample', [e.input(0), e.input(1)], {
    mode: e.text('mode'),
    padding_mode: e.text('padding_mode'),
    align_corners: e.flag('align_corners') ? 1n : 0n,
  });
}
