// LSTMSequence, GRUSequence and RNNSequence: a recurrent network over all steps of its input.
import type * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { toFloat64, toIntegers } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { type Facts, factsOf, inputFact } from '../fact.ts';
import { gateFunctions } from './activations.ts';
import { canExpandSequence, expandSequence } from './expand.ts';
import {
  type CellKind,
  cellAttributes,
  cellKinds,
  direction,
  gruAttributes,
  oldLstmAttributes,
  type SequenceAttributes,
} from './kinds.ts';
import { requireFit, requireInputs, sequencePorts } from './ports.ts';
import { part, runSequence, stackDirections } from './run.ts';

function infer(kind: CellKind, a: SequenceAttributes, inputs: Facts): Fact[] {
  gateFunctions(a, kind.activations.length);
  const at = sequencePorts(kind);
  const directions = a.direction === 'bidirectional' ? 2 : 1;
  const { type, batch } = requireInputs(kind, a, inputs, at, [directions]);
  requireFit(inputFact(inputs, at.lengths), [batch], 'the sequence lengths');
  const size = a.hidden_size;
  const state = { type, shape: [batch, directions, size] };
  const y = { type, shape: [batch, directions, inputs[0]!.shape[1]!, size] };
  return kind.hasCell ? [y, state, state] : [y, state];
}

/** Steps of each sample. */
function lengthsOf(t: Tensor, steps: number): number[] {
  const lengths = toIntegers(t);
  const wrong = lengths.find((n) => n < 0 || n > steps);
  if (wrong === undefined) return lengths;
  throw new LowpError('ERR_OP_INPUTS', `a sequence length is ${wrong}, expected 0 to ${steps}`);
}

function evaluate(kind: CellKind, a: SequenceAttributes, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  const [y, state] = infer(kind, a, factsOf(inputs)) as [Fact, Fact];
  const at = sequencePorts(kind);
  const [batch, directions, steps] = y.shape as [number, number, number];
  const x = inputs[0]!;
  const runs = Array.from({ length: directions }, (_, d) =>
    runSequence(kind, a, {
      batch,
      steps,
      inputSize: x.shape[2]!,
      x: toFloat64(x),
      hidden: stateOf(inputs[at.hidden]!, d),
      cell: kind.hasCell ? stateOf(inputs[at.cell]!, d) : undefined,
      lengths: lengthsOf(inputs[at.lengths]!, steps),
      weights: part(inputs[at.weights], d, directions)!,
      recurrent: part(inputs[at.recurrent], d, directions)!,
      bias: part(inputs[at.bias], d, directions) ?? new Float64Array(kind.biasRows(a) * a.hidden_size),
      peepholes: part(inputs[at.peepholes], d, directions),
      reverse: a.direction === 'reverse' || d === 1,
    }),
  );
  const stack = (key: 'y' | 'hidden' | 'cell', fact: Fact): Tensor =>
    stackDirections(
      runs.map((r) => r[key]),
      batch,
      fact.shape,
      fact.type,
    );
  return [stack('y', y), stack('hidden', state), ...(kind.hasCell ? [stack('cell', state)] : [])];
}

/** `[batch, hidden]` of one direction of `[batch, directions, hidden]`. */
function stateOf(t: Tensor, d: number): Float64Array {
  const [batch, directions, size] = t.shape as [number, number, number];
  const all = toFloat64(t);
  const out = new Float64Array(batch * size);
  for (let b = 0; b < batch; b++) {
    const from = (b * directions + d) * size;
    out.set(all.subarray(from, from + size), b * size);
  }
  return out;
}

function sequenceOp(kind: CellKind, opset: string, attributes: z.ZodType<SequenceAttributes>, extra = 0): OpDef {
  const { hidden, weights, recurrent, bias } = sequencePorts(kind);
  return defineOp<SequenceAttributes>({
    type: `${kind.name}Sequence`,
    opset,
    attributes,
    inputs: [bias, bias + 1 + extra],
    infer: (a, inputs) => infer(kind, a, inputs),
    evaluate: (a, present, all) => evaluate(kind, a, all ?? present),
    expand: (a, node, context) =>
      canExpandSequence(kind, a, node) ? expandSequence(kind, a, node, context) : undefined,
    quantization: { quantizedPorts: [0, hidden, weights, recurrent] },
  });
}

const { lstm, gru, rnn } = cellKinds;
const withDirection = { direction };

/**
 * An LSTM over all steps. Inputs: x `[B, T, I]`, hidden and cell `[B, D, H]`, lengths `[B]`, W `[D, 4H, I]`,
 * R `[D, 4H, H]`, bias `[D, 4H]`; gates f, i, c, o. Outputs: `[B, D, T, H]`, zero behind the length of a sample, and both
 * states behind its last step.
 */
export const lstmSequence5 = sequenceOp(lstm, 'opset5', cellAttributes(lstm).extend(withDirection));

/** LSTMSequence whose attributes give the order of the gates and may tie f to i; an eighth input has peepholes `[D, 3H]`. */
export const lstmSequence1 = sequenceOp(
  lstm,
  'opset1',
  cellAttributes(lstm).extend({ ...oldLstmAttributes, ...withDirection }),
  1,
);

/** A GRU over all steps: x, hidden, lengths, W `[D, 3H, I]`, R `[D, 3H, H]`, bias. Outputs: `[B, D, T, H]` and `[B, D, H]`. */
export const gruSequence = sequenceOp(
  gru,
  'opset5',
  cellAttributes(gru).extend({ ...gruAttributes, ...withDirection }),
);

/** A plain recurrent network over all steps, with inputs and outputs as those of GRUSequence. */
export const rnnSequence = sequenceOp(rnn, 'opset5', cellAttributes(rnn).extend(withDirection));
