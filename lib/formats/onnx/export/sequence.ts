/** The greedy decoders of CTC: the most likely class of every step, without repetitions and blanks. */
import { onnxTypeOf } from '../data-types.ts';
import type { ExporterTable, ExportNode } from './export-node.ts';
import { castTo, counting, firstThose, part, single, unsqueezed } from './steps.ts';

export const sequenceExporters: ExporterTable = {
  CTCGreedyDecoder: masked,
  CTCGreedyDecoderSeqLen: withLengths,
};

/** Scores [T, N, C], and a mask whose first 0 ends a sequence. */
function masked(e: ExportNode): void {
  const zero = e.step('Equal', [single(e, 1, 'single_mask'), e.scalar('f32', 0, 'none')], 'ends');
  const ends = e.step('CumSum', [castTo(e, zero, 'i64', 'each_end'), e.scalar('i64', 0, 'over_time')], 'ends_before');
  const alive = e.step('Equal', [ends, e.scalar('i64', 0, 'no_end')], 'alive');
  const { labels } = decoded(e, 0, e.flag('ctc_merge_repeated'), alive, lastClass(e));
  const byImage = e.step('Transpose', [labels], 'by_sequence', { perm: [1n, 0n] });
  e.finish('Cast', [unsqueezed(e, byImage, [2, 3], 'spread')], { to: BigInt(onnxTypeOf(e.node.output.fact.type)) });
}

/** Scores [N, T, C], the lengths, and perhaps the blank. */
function withLengths(e: ExportNode): void {
  const steps = stepsOf(e, 1);
  const position = counting(e, steps, [1, steps], 'position');
  const alive = e.step('Less', [position, unsqueezed(e, e.int64(1, 'lengths'), [1], 'length')], 'alive');
  const blank = e.node.source(2) ? e.int64(2, 'blank') : lastClass(e);
  const { labels, kept } = decoded(e, 1, e.flag('merge_repeated'), alive, blank);
  const [classes, counts] = e.node.outputs;
  e.finish('Cast', [labels], { to: BigInt(onnxTypeOf(classes!.fact.type)) }, [classes!]);
  const one = castTo(e, kept, 'i64', 'each_kept');
  const count = e.step('ReduceSum', [one, e.int64s([1], 'count_axes')], 'count', { keepdims: 0n });
  e.finish('Cast', [count], { to: BigInt(onnxTypeOf(counts!.fact.type)) }, [counts!]);
}

function stepsOf(e: ExportNode, axis: number): number {
  const steps = e.shape(0)[axis]!;
  return steps < 0 ? e.unsupported('a dynamic number of steps') : steps;
}

function lastClass(e: ExportNode): string {
  const classes = e.shape(0)[2]!;
  return classes < 0 ? e.unsupported('a dynamic number of classes') : e.scalar('i64', classes - 1, 'blank');
}

/** Labels along the axis of time, filled up with −1, and which steps gave one. */
function decoded(
  e: ExportNode,
  time: number,
  merge: boolean,
  alive: string,
  blank: string,
): { readonly labels: string; readonly kept: string } {
  const steps = stepsOf(e, time);
  const label = e.step('ArgMax', [single(e, 0, 'single_scores')], 'label', { axis: 2n, keepdims: 0n });
  const isBlank = e.step('Equal', [label, blank], 'is_blank');
  let kept = e.step('And', [alive, e.step('Not', [isBlank], 'is_label')], 'labels');
  if (merge && steps > 1) {
    const before = e.int64s(time === 0 ? [1, 0, 0, 0] : [0, 1, 0, 0], 'one_step');
    const shifted = part(e, label, time, 0, steps - 1, 'earlier');
    const previous = e.step('Pad', [shifted, before, e.scalar('i64', -1, 'no_label')], 'previous');
    const isNew = e.step('Not', [e.step('Equal', [label, previous], 'repeats')], 'is_new');
    kept = e.step('And', [kept, isNew], 'kept');
  }
  const chosen = e.step('Where', [kept, label, e.scalar('i64', -1, 'filling')], 'chosen');
  const order = firstThose(e, kept, steps, time, 'order');
  return { labels: e.step('GatherElements', [chosen, order], 'compact', { axis: BigInt(time) }), kept };
}
