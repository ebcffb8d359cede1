/** StridedSlice, Slice and Pad. */
import type { ExporterTable, ExportNode } from './export-node.ts';

export const slicingExporters: ExporterTable = { StridedSlice: stridedSlice, Slice: slice, Pad: pad };

/** Ends that mean "to the last element" and, for a negative step, "to the first". */
const farEnd = Number.MAX_SAFE_INTEGER;

/** A Slice over the axes that are cut, then a Squeeze of the picked ones and an Unsqueeze of the new ones. */
function stridedSlice(e: ExportNode): void {
  const mask = (name: string) => e.ints(name);
  const masks = { begin: mask('begin_mask'), end: mask('end_mask'), fresh: mask('new_axis_mask') };
  const picked = mask('shrink_axis_mask');
  if (mask('ellipsis_mask').some((m) => m === 1)) e.unsupported('an ellipsis');
  const begin = e.knownInts(1, 'begin');
  const end = e.knownInts(2, 'end');
  const strides = e.node.source(3) ? e.knownInts(3, 'strides') : begin.map(() => 1);
  const cuts: { axis: number; start: number; end: number; step: number }[] = [];
  const removed: number[] = [];
  const added: number[] = [];
  let axis = 0;
  for (const [i, from] of begin.entries()) {
    if (masks.fresh[i] === 1) {
      added.push(axis - removed.length + added.length);
      continue;
    }
    const step = strides[i]!;
    if (picked[i] === 1) {
      const at = masks.begin[i] === 1 ? 0 : from;
      cuts.push({ axis, start: at, end: at === -1 ? farEnd : at + 1, step: 1 });
      removed.push(axis);
    } else {
      const start = masks.begin[i] === 1 ? (step > 0 ? 0 : farEnd) : from;
      const stop = masks.end[i] === 1 ? (step > 0 ? farEnd : -farEnd) : end[i]!;
      cuts.push({ axis, start, end: stop, step });
    }
    axis++;
  }
  // The largest i64 is no number of JavaScript; as an end it means the last element.
  const within = (v: number): number => Math.max(-farEnd, Math.min(farEnd, v));
  const list = (name: string, pick: (c: (typeof cuts)[number]) => number) =>
    e.int64s(
      cuts.map((c) => within(pick(c))),
      name,
    );
  const inputs = [
    e.input(0),
    list('starts', (c) => c.start),
    list('ends', (c) => c.end),
    list('axes', (c) => c.axis),
    list('steps', (c) => c.step),
  ];
  if (removed.length + added.length === 0) {
    e.finish('Slice', inputs);
    return;
  }
  const sliced = e.step('Slice', inputs, 'Slice');
  if (added.length === 0) {
    e.finish('Squeeze', [sliced, e.int64s(removed, 'removed')]);
    return;
  }
  const squeezed = removed.length === 0 ? sliced : e.step('Squeeze', [sliced, e.int64s(removed, 'removed')], 'Squeeze');
  e.finish('Unsqueeze', [squeezed, e.int64s(added, 'added')]);
}

function slice(e: ExportNode): void {
  const [start, stop, step] = [1, 2, 3].map((i) => e.int64(i, ['starts', 'ends', 'steps'][i - 1]!));
  const axes = e.node.source(4) ? e.int64(4, 'axes') : '';
  e.finish('Slice', [e.input(0), start!, stop!, axes, step!]);
}

function pad(e: ExportNode): void {
  const mode = e.text('pad_mode');
  if (mode === 'symmetric') e.unsupported("pad_mode 'symmetric'");
  const pads = [...e.knownInts(1, 'pads'), ...e.knownInts(2, 'pads')];
  const value = mode === 'constant' && e.node.source(3) ? [e.input(3)] : [];
  e.finish('Pad', [e.input(0), e.int64s(pads, 'pads'), ...value], { mode });
}
