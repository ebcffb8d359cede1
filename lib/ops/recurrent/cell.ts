// LSTMCell, GRUCell and RNNCell: one step of a recurrent network.
import type * as z from 'zod';
import type { Fact } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { type Facts, factsOf } from '../fact.ts';
import { gateFunctions } from './activations.ts';
import { expandCell } from './expand.ts';
import {
  type CellKind,
  cellAttributes,
  cellKinds,
  gruAttributes,
  oldLstmAttributes,
  type RecurrentAttributes,
} from './kinds.ts';
import { cellPorts, requireInputs } from './ports.ts';
import { runSequence } from './run.ts';

function infer(kind: CellKind, a: RecurrentAttributes, inputs: Facts): Fact[] {
  gateFunctions(a, kind.activations.length);
  const { type, batch } = requireInputs(kind, a, inputs, cellPorts(kind));
  const fact = { type, shape: [batch, a.hidden_size] };
  return kind.hasCell ? [fact, fact] : [fact];
}

function evaluate(kind: CellKind, a: RecurrentAttributes, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  const [{ type, shape }] = infer(kind, a, factsOf(inputs)) as [Fact];
  const at = cellPorts(kind);
  const x = inputs[0]!;
  const doubles = (port: number): Float64Array | undefined => inputs[port] && toFloat64(inputs[port]);
  const out = runSequence(kind, a, {
    batch: shape[0]!,
    steps: 1,
    inputSize: x.shape[1]!,
    x: toFloat64(x),
    hidden: doubles(at.hidden)!,
    cell: kind.hasCell ? doubles(at.cell)! : undefined,
    lengths: new Array<number>(shape[0]!).fill(1),
    weights: doubles(at.weights)!,
    recurrent: doubles(at.recurrent)!,
    bias: doubles(at.bias) ?? new Float64Array(kind.biasRows(a) * a.hidden_size),
    peepholes: doubles(at.peepholes),
    reverse: false,
  });
  return [out.hidden, ...(kind.hasCell ? [out.cell] : [])].map((values) => fromFloat64(values, shape, type));
}

function cellOp(kind: CellKind, opset: string, attributes: z.ZodType<RecurrentAttributes>, extra = 0): OpDef {
  const { bias } = cellPorts(kind);
  return defineOp<RecurrentAttributes>({
    type: `${kind.name}Cell`,
    opset,
    attributes,
    inputs: [bias, bias + 1 + extra],
    infer: (a, inputs) => infer(kind, a, inputs),
    evaluate: (a, present, all) => evaluate(kind, a, all ?? present),
    expand: (a, node, context) => expandCell(kind, a, node, context),
    quantization: { quantizedPorts: Array.from({ length: bias }, (_, i) => i) },
  });
}

const { lstm, gru, rnn } = cellKinds;

/**
 * One step of an LSTM. Inputs: x `[B, I]`, hidden `[B, H]`, cell `[B, H]`, W `[4H, I]`, R `[4H, H]`, bias `[4H]`; gates
 * in the order f, i, c, o. Outputs: the next hidden and cell state.
 */
export const lstmCell4 = cellOp(lstm, 'opset4', cellAttributes(lstm));

/** LSTMCell whose attributes give the order of the gates and may tie f to i; a seventh input has peepholes `[3H]`. */
export const lstmCell1 = cellOp(lstm, 'opset1', cellAttributes(lstm).extend(oldLstmAttributes), 1);

/** One step of a GRU: x, hidden, W `[3H, I]`, R `[3H, H]`, bias `[3H]`, or `[4H]` with `linear_before_reset`; gates z, r, h. */
export const gruCell = cellOp(gru, 'opset3', cellAttributes(gru).extend(gruAttributes));

/** One step of a plain recurrent network: x, hidden, W `[H, I]`, R `[H, H]`, bias `[H]`. */
export const rnnCell = cellOp(rnn, 'opset3', cellAttributes(rnn));
