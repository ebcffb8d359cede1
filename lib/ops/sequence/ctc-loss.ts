// CTCLoss: how unlikely a sequence of labels is.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { bool } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { inputFact, requireRank } from '../fact.ts';

const attributes = z.object({
  preprocess_collapse_repeated: bool.default(false),
  ctc_merge_repeated: bool.default(true),
  unique: bool.default(false),
});

/** `ln Σ exp`. */
function logSum(...values: number[]): number {
  const most = Math.max(...values);
  if (most === Number.NEGATIVE_INFINITY) return most;
  return most + Math.log(values.reduce((sum, v) => sum + Math.exp(v - most), 0));
}

/** The labels that are looked for, after the rules of the attributes. */
function target(a: z.infer<typeof attributes>, labels: readonly number[]): number[] {
  const seen = new Set<number>();
  return labels.filter((label, i) => {
    if (a.preprocess_collapse_repeated && i > 0 && labels[i - 1] === label) return false;
    if (a.unique && seen.has(label)) return false;
    seen.add(label);
    return true;
  });
}

/** `−ln P(labels)`: forward over labels with blanks between them; `logs[t][c]` are logarithms of probabilities. */
function loss(logs: readonly (readonly number[])[], labels: readonly number[], blank: number, merge: boolean): number {
  const states = [blank, ...labels.flatMap((label) => [label, blank])];
  let alpha = states.map((_, s) => (s === 0 ? 0 : Number.NEGATIVE_INFINITY));
  if (logs.length === 0) return labels.length === 0 ? 0 : Number.POSITIVE_INFINITY;
  for (const [t, row] of logs.entries()) {
    alpha = states.map((label, s) => {
      if (t === 0) return s < 2 ? row[label]! : Number.NEGATIVE_INFINITY;
      const isLabel = s % 2 === 1;
      const from = [Number.NEGATIVE_INFINITY];
      if (!isLabel || merge) from.push(alpha[s]!);
      if (s > 0) from.push(alpha[s - 1]!);
      if (isLabel && s > 1 && (!merge || label !== states[s - 2])) from.push(alpha[s - 2]!);
      return logSum(...from) + row[label]!;
    });
  }
  return -logSum(alpha.at(-1)!, alpha.at(-2) ?? Number.NEGATIVE_INFINITY);
}

function logSoftmax(values: Float64Array): number[] {
  const norm = logSum(...values);
  return Array.from(values, (v) => v - norm);
}

/**
 * Inputs: logits `[N, T, C]`, steps of each sample `[N]`, labels `[N, L]`, number of labels `[N]`, blank (default C − 1).
 * Without `ctc_merge_repeated` a label is emitted at exactly one step.
 */
export const ctcLoss = defineOp({
  type: 'CTCLoss',
  opset: 'opset4',
  attributes,
  inputs: [4, 5],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    requireRank(shape, 3, 3, 'the logits');
    requireRank(inputFact(inputs, 2).shape, 2, 2, 'the labels');
    return [{ type, shape: [shape[0]!] }];
  },
  evaluate: (a, present, all) => {
    const [logits, steps, labels, counts, blank] = all ?? present;
    const [samples, most, classes] = logits!.shape as [number, number, number];
    const values = toFloat64(logits!);
    const width = labels!.shape[1]!;
    const [lengths, sizes, words] = [steps!, counts!, labels!].map(toIntegers) as [number[], number[], number[]];
    const other = blank ? toIntegers(blank)[0]! : classes - 1;
    const out = Float64Array.from({ length: samples }, (_, n) => {
      const [length, size] = [lengths[n]!, sizes[n]!];
      const wanted = target(a, words.slice(n * width, n * width + size));
      if (length > most || size > width || length < 0 || wanted.some((label) => label < 0 || label >= classes)) {
        throw new LowpError('ERR_OP_INPUTS', `sample ${n} has ${length} steps of ${most} and the labels ${wanted}`);
      }
      const rows = Array.from({ length }, (_, t) => {
        const from = (n * most + t) * classes;
        return logSoftmax(values.subarray(from, from + classes));
      });
      return loss(rows, wanted, other, a.ctc_merge_repeated);
    });
    return [fromFloat64(out, [samples], logits!.type)];
  },
});
