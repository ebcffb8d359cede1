/** Slice and Pad. */
import type { OutputPort } from '../../../graph/node.ts';
import { toIntegers } from '../../../tensor/convert.ts';
import { elementCount, normalizeAxis } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const slicingImporters: ImporterTable = { Slice: slice, Pad: pad, CenterCropPad: centerCropPad };

/** One axis of a strided slice; a mask of 1 stands for "from the first" or "to the last" element. */
interface Cut {
  readonly begin: number;
  readonly end: number;
  readonly step: number;
  readonly beginMask: number;
  readonly endMask: number;
}

const whole: Cut = { begin: 0, end: 0, step: 1, beginMask: 1, endMask: 1 };

/** Attributes before opset 10, inputs since. Known limits give a StridedSlice, computed ones a Slice. */
function slice(n: ImportNode): OutputPort[] {
  const rank = n.rank(0);
  const computed = [1, 2, 3, 4].some((i) => n.optional(i) && !n.optional(i)?.fact.value);
  if (computed) return [slicedByValues(n)];
  const starts = n.intsFrom('starts', 1) ?? n.attributes.fail('starts', 'is missing');
  const ends = n.intsFrom('ends', 2) ?? n.attributes.fail('ends', 'is missing');
  const axes = n.intsFrom('axes', 3) ?? starts.map((_, i) => i);
  const steps = n.knownInts(4, 'steps') ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length)) {
    n.invalid(`its starts, ends, axes and steps have ${[starts, ends, axes, steps].map((l) => l.length)} elements`);
  }
  const cuts = new Array<Cut>(rank).fill(whole);
  for (const [i, given] of axes.entries()) {
    const axis = normalizeAxis(given, rank);
    if (steps[i] === 0) n.invalid('a step of its slice is 0');
    cuts[axis] = cut(starts[i]!, ends[i]!, steps[i]!, n.input(0).fact.shape[axis]!);
  }
  return [strided(n, n.input(0), cuts)];
}

/** Limits clamped to the axis as ONNX does; on a dynamic axis only those that lie beyond any size are replaced. */
function cut(start: number, end: number, step: number, size: number): Cut {
  if (size < 0) {
    const far = 2 ** 31 - 1;
    const beginMask = Number(step > 0 ? start <= -far : start >= far);
    const endMask = Number(step > 0 ? end >= far : end <= -far);
    return { begin: beginMask ? 0 : start, end: endMask ? 0 : end, step, beginMask, endMask };
  }
  const from = start < 0 ? start + size : start;
  const to = end < 0 ? end + size : end;
  const last = step > 0 ? size : size - 1;
  const begin = Math.min(Math.max(from, 0), last);
  const stop = Math.min(Math.max(to, step > 0 ? 0 : -1), last);
  const endMask = Number(stop < 0);
  return { begin: Math.max(begin, 0), end: endMask ? 0 : stop, step, beginMask: 0, endMask };
}

function strided(n: ImportNode, data: OutputPort, cuts: readonly Cut[], suffix?: string): OutputPort {
  const prefix = suffix === undefined ? '' : `${suffix}/`;
  const list = (name: string, pick: (c: Cut) => number) => n.indices(cuts.map(pick), `${prefix}${name}`);
  return n.add(
    'StridedSlice',
    { begin_mask: cuts.map((c) => c.beginMask), end_mask: cuts.map((c) => c.endMask) },
    [data, list('begin', (c) => c.begin), list('end', (c) => c.end), list('strides', (c) => c.step)],
    suffix === undefined ? {} : { suffix },
  );
}

function slicedByValues(n: ImportNode): OutputPort {
  const count = n.input(1).fact.shape[0] ?? 0;
  const ones = () => n.indices(new Array<number>(Math.max(0, count)).fill(1), 'steps');
  const inputs = [n.input(0), n.input(1), n.input(2), n.optional(4) ?? ones(), n.optional(3)];
  return n.add('Slice', {}, inputs[4] ? inputs : inputs.slice(0, 4));
}

/** Pads of the first and last side per axis; negative ones cut. */
function pad(n: ImportNode): OutputPort[] {
  const rank = n.rank(0);
  const mode = n.attributes.choice('mode', ['constant', 'reflect', 'edge', 'wrap'], 'constant');
  const computed = n.attributes.has('pads') ? undefined : [1, 3].find((i) => n.optional(i) && !n.ints(i));
  if (computed !== undefined) return [paddedByValues(n, mode)];
  const pads = n.intsFrom('pads', 1) ?? n.attributes.fail('pads', 'is missing');
  const axes = (n.knownInts(3, 'axes') ?? Array.from({ length: rank }, (_, i) => i)).map((a) => normalizeAxis(a, rank));
  if (pads.length !== 2 * axes.length) n.invalid(`it has ${pads.length} pads for ${axes.length} axes`);
  const begin = new Array<number>(rank).fill(0);
  const end = new Array<number>(rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    begin[axis] = pads[i]!;
    end[axis] = pads[i + axes.length]!;
  }
  if ([...begin, ...end].some((p) => Math.abs(p) >= 2 ** 31)) n.invalid('a pad is beyond 2147483647');
  if (mode === 'wrap') return [wrapped(n, n.indices(begin, 'begin'), n.indices(end, 'end'))];
  return [padded(n, cropped(n, begin, end), begin, end, mode)];
}

/** Pads that are computed: the halves of their list, spread over all axes. */
function paddedByValues(n: ImportNode, mode: string): OutputPort {
  const rank = n.rank(0);
  const half = n.scalar('i64', 0, 'axis');
  const halves = n.addAll('Split', { num_splits: 2 }, [n.input(1), half], { suffix: 'Split' });
  const [begin, end] = halves.map((list) => {
    const axes = n.optional(3);
    if (!axes) return list;
    const positive = n.step('FloorMod', [axes, n.scalar(axes.fact.type, rank, 'rank')]);
    const zeros = n.indices(new Array<number>(rank).fill(0), 'zeros');
    const inputs = [zeros, positive, list, n.scalar('i64', 0, 'axis')];
    return n.step('ScatterElementsUpdate', inputs, {}, { opset: 'opset3' });
  });
  if (mode === 'wrap') return wrapped(n, begin!, end!);
  const fill = mode === 'constant' ? [fillValue(n, n.input(0))] : [];
  return n.step('Pad', [n.input(0), begin!, end!, ...fill], { pad_mode: mode }, { opset: 'opset12' });
}

/** Axis by axis, the elements at `(i - begin) mod size`. */
function wrapped(n: ImportNode, begin: OutputPort, end: OutputPort): OutputPort {
  let data = n.input(0);
  const zero = n.scalar('i64', 0, 'axis');
  for (let axis = 0; axis < n.rank(0); axis++) {
    const at = (list: OutputPort) => n.step('Gather', [list, n.scalar('i64', axis, 'at'), zero], { batch_dims: 0 });
    const [before, behind] = [begin, end].map((list) => list.fact.value && toIntegers(list.fact.value)[axis]);
    if (before === 0 && behind === 0) continue;
    const size = n.sizeOf(data, axis);
    const limits = [n.step('Negative', [at(begin)]), n.step('Add', [size, at(end)]), n.scalar('i64', 1, 'step')];
    const places = n.step('FloorMod', [n.step('Range', limits, { output_type: 'i64' }), size]);
    data = n.step('Gather', [data, places, n.scalar('i64', axis, 'axis')], { batch_dims: 0 });
  }
  return data;
}

/** Cuts from the middle, or pads around it, until the listed axes have the given sizes; the smaller part is in front. */
function centerCropPad(n: ImportNode): OutputPort[] {
  const rank = n.rank(0);
  const data = n.input(0);
  const axes = (n.attributes.ints('axes') ?? Array.from({ length: rank }, (_, i) => i)).map((a) =>
    normalizeAxis(a, rank),
  );
  const list = n.indices(axes, 'axes');
  const zero = n.scalar('i64', 0, 'axis');
  const sizes = n.step('Gather', [n.shapeOf(data), list, zero], { batch_dims: 0 });
  const missing = n.step('Subtract', [n.converted(n.input(1), 'i64'), sizes]);
  const before = n.step('Divide', [missing, n.scalar('i64', 2, 'two')], { m_pythondiv: false });
  const spread = (part: OutputPort): OutputPort => {
    const zeros = n.indices(new Array<number>(rank).fill(0), 'zeros');
    return n.step('ScatterElementsUpdate', [zeros, list, part, zero], {}, { opset: 'opset3' });
  };
  const pads = [spread(before), spread(n.step('Subtract', [missing, before]))];
  // The number that is put among integers is stated: it is not what stands for the real 0.
  const fill = data.fact.type === 'string' ? [] : [fillValue(n, data)];
  return [n.step('Pad', [data, ...pads, ...fill], { pad_mode: 'constant' }, { opset: 'opset12' })];
}

function cropped(n: ImportNode, begin: readonly number[], end: readonly number[]): OutputPort {
  if ([...begin, ...end].every((p) => p >= 0)) return n.input(0);
  const cuts = begin.map((b, i): Cut => {
    const e = end[i]!;
    return { begin: Math.max(0, -b), end: Math.min(0, e), step: 1, beginMask: 0, endMask: Number(e >= 0) };
  });
  return strided(n, n.input(0), cuts, 'crop');
}

function padded(n: ImportNode, data: OutputPort, begin: number[], end: number[], mode: string): OutputPort {
  const sizes = [begin, end].map((list, i) =>
    n.indices(
      list.map((p) => Math.max(0, p)),
      i === 0 ? 'begin' : 'end',
    ),
  );
  if (mode !== 'constant') return n.add('Pad', { pad_mode: mode }, [data, ...sizes]);
  return n.add('Pad', { pad_mode: mode }, [data, ...sizes, fillValue(n, data)]);
}

/** An attribute before opset 11, an optional input since; zero by default. */
function fillValue(n: ImportNode, data: OutputPort): OutputPort {
  const { type } = data.fact;
  const given = n.opset < 11 ? undefined : n.optional(2);
  if (!given) return n.scalar(type, n.attributes.float('value') ?? 0, 'value');
  const value = given.fact.value;
  if (!value) return n.reshaped(given, [], 'value');
  if (elementCount(value.shape) !== 1) n.invalid('its fill value is not a scalar');
  return n.constant(tensor(value.type, [], value.data), 'value');
}
