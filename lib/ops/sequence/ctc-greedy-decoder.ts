// CTCGreedyDecoder and CTCGreedyDecoderSeqLen: the most likely class of every step, without repetitions and blanks.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { constantOf, type Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, elementType } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, mergeSizes, requireRank } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { indexTypes } from '../movement/emit-picks.ts';

/** One sequence: `steps` vectors of `classes` scores, `stride` numbers apart. */
interface Sequence {
  readonly at: number;
  readonly stride: number;
  readonly classes: number;
  readonly steps: number;
}

/** Position of the largest of `count` numbers, the first of equal ones. */
function largest(scores: Float64Array, at: number, count: number): number {
  let best = 0;
  for (let c = 1; c < count; c++) if (scores[at + c]! > scores[at + best]!) best = c;
  return best;
}

/** Writes the labels of a sequence to `out`, and returns how many there are. */
function decode(scores: Float64Array, s: Sequence, blank: number, merge: boolean, out: Float64Array): number {
  let count = 0;
  let previous = -1;
  for (let t = 0; t < s.steps; t++) {
    const label = largest(scores, s.at + t * s.stride, s.classes);
    if (label !== blank && !(merge && label === previous)) out[count++] = label;
    previous = label;
  }
  return count;
}

function inferMasked(inputs: Facts) {
  const [x, mask] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  requireRank(x.shape, 3);
  requireRank(mask.shape, 2, 2, 'the mask');
  const steps = mergeSizes(x.shape[0]!, mask.shape[0]!, 'steps of data and mask');
  const batch = mergeSizes(x.shape[1]!, mask.shape[1]!, 'batch of data and mask');
  return [{ type: x.type, shape: [batch, steps, 1, 1] }];
}

function evaluateMasked(merge: boolean, inputs: readonly Tensor[]): Tensor[] {
  const { type, shape } = inferMasked(factsOf(inputs))[0]!;
  const [batch, length] = [shape[0]!, shape[1]!];
  const classes = inputs[0]!.shape[2]!;
  const [scores, mask] = [toFloat64(inputs[0]!), toFloat64(inputs[1]!)];
  const out = new Float64Array(batch * length).fill(-1);
  for (let n = 0; n < batch; n++) {
    let steps = 0;
    while (steps < length && mask[steps * batch + n] !== 0) steps++;
    const sequence = { at: n * classes, stride: batch * classes, classes, steps };
    decode(scores, sequence, classes - 1, merge, out.subarray(n * length, (n + 1) * length));
  }
  return [fromFloat64(out, shape, type)];
}

function lowerMasked(merge: boolean, node: Node, context: LowerContext): void {
  const [steps, batch, classes] = node.source(0)!.fact.shape as [number, number, number];
  context.builder.call(
    'ctc_greedy',
    {
      ...{ batch, steps, classes, stepStride: batch * classes, sequenceStride: classes },
      ...{ blank: classes - 1, merge: merge ? 1 : 0, masked: 1 },
    },
    {
      name: node.name,
      in: [context.float(node, 0, 'plain'), context.float(node, 1, 'plain')],
      out: [context.place(node.output, 'plain')],
    },
  );
}

/**
 * Scores [T, N, C] and a mask [T, N] whose first 0 ends a sequence → labels [N, T, 1, 1], filled up with −1. The last
 * class is the blank. A label that repeats that of the step before counts once.
 */
export const ctcGreedyDecoder = defineOp({
  type: 'CTCGreedyDecoder',
  opset: 'opset1',
  attributes: z.object({ ctc_merge_repeated: bool.default(true) }),
  inputs: [2, 2],
  infer: (_, inputs) => inferMasked(inputs),
  evaluate: (a, inputs) => evaluateMasked(a.ctc_merge_repeated, inputs),
  lower: (a, node, context) => lowerMasked(a.ctc_merge_repeated, node, context),
  runtime: { bytes: 'never', epilogue: 'none' },
});

const lengthAttributes = z.object({
  merge_repeated: bool.default(true),
  classes_index_type: elementType.default('i32'),
  sequence_length_type: elementType.default('i32'),
});

type LengthAttributes = z.infer<typeof lengthAttributes>;

function inferLengths(a: LengthAttributes, inputs: Facts) {
  const [x, lengths] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  requireRank(x.shape, 3);
  requireRank(lengths.shape, 1, 1, 'the lengths');
  const batch = mergeSizes(x.shape[0]!, lengths.shape[0]!, 'batch of data and lengths');
  return [
    { type: a.classes_index_type, shape: [batch, x.shape[1]!] },
    { type: a.sequence_length_type, shape: [batch] },
  ];
}

function evaluateLengths(a: LengthAttributes, inputs: readonly Tensor[]): Tensor[] {
  const [labels, counts] = inferLengths(a, factsOf(inputs));
  const [batch, length] = [labels!.shape[0]!, labels!.shape[1]!];
  const classes = inputs[0]!.shape[2]!;
  const scores = toFloat64(inputs[0]!);
  const lengths = toIntegers(inputs[1]!);
  const blank = inputs[2] ? toIntegers(inputs[2])[0]! : classes - 1;
  const out = new Float64Array(elementCount(labels!.shape)).fill(-1);
  const found = new Float64Array(batch);
  for (let n = 0; n < batch; n++) {
    const steps = lengths[n]!;
    if (steps < 0 || steps > length) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `sequence ${n} has the length ${steps}, expected 0 to ${length}`);
    }
    const sequence = { at: n * length * classes, stride: classes, classes, steps };
    found[n] = decode(scores, sequence, blank, a.merge_repeated, out.subarray(n * length, (n + 1) * length));
  }
  return [fromFloat64(out, labels!.shape, labels!.type), fromFloat64(found, counts!.shape, counts!.type)];
}

/** The class that is no label; undefined when it is computed. */
function blankOf(node: Node): number | undefined {
  const given = node.source(2);
  if (!given) return node.source(0)!.fact.shape[2]! - 1;
  const value = constantOf(given);
  return value && toIntegers(value)[0];
}

const mostBlank = 2 ** 31 - 1;

function canLowerLengths(node: Node): boolean {
  const blank = blankOf(node);
  return blank !== undefined && Math.abs(blank) <= mostBlank && indexTypes.includes(node.source(1)!.fact.type);
}

function lowerLengths(a: LengthAttributes, node: Node, context: LowerContext): void {
  const [batch, steps, classes] = node.source(0)!.fact.shape as [number, number, number];
  context.builder.call(
    'ctc_greedy',
    {
      ...{ batch, steps, classes, stepStride: classes, sequenceStride: steps * classes },
      ...{ blank: blankOf(node)!, merge: a.merge_repeated ? 1 : 0 },
    },
    {
      name: node.name,
      in: [context.float(node, 0, 'plain'), context.elements(node, 1, 'plain')],
      out: node.outputs.map((port) => context.place(port, 'plain')),
    },
  );
}

/**
 * Scores [N, T, C], lengths [N] and the index of the blank (the last class when absent) → labels [N, T], filled up with
 * −1, and how many there are [N].
 */
export const ctcGreedyDecoderSeqLen = defineOp({
  type: 'CTCGreedyDecoderSeqLen',
  opset: 'opset6',
  attributes: lengthAttributes,
  inputs: [2, 3],
  infer: inferLengths,
  evaluate: evaluateLengths,
  lower: lowerLengths,
  canLower: (_, node) => canLowerLengths(node),
  runtime: {
    bytes: 'never',
    epilogue: 'none',
    types: { inputs: [['f32'], indexTypes], outputs: [indexTypes] },
  },
});
