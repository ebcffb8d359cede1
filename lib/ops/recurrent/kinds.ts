// The three kinds of recurrent cells: their gates and what one step does with them.
import * as z from 'zod';
import { bool, enumeration, float, floatList, int, wordList } from '../attribute.ts';

/** The attributes that cells and sequences of all kinds have in common, after defaults. */
export interface RecurrentAttributes {
  readonly hidden_size: number;
  readonly activations: readonly string[];
  readonly activations_alpha: readonly number[];
  readonly activations_beta: readonly number[];
  /** Largest magnitude of what goes into the functions of gates; 0 or infinity is no limit. */
  readonly clip: number;
  readonly linear_before_reset?: boolean | undefined;
  readonly weights_format?: string | undefined;
  readonly input_forget?: boolean | undefined;
}

/** Attributes of a sequence. */
export interface SequenceAttributes extends RecurrentAttributes {
  readonly direction: 'forward' | 'reverse' | 'bidirectional';
}

/** The numbers that one cell reads at one step, for one sample. */
export interface StepInput {
  /** `W x` for every gate, one after the other. */
  readonly x: Float64Array;
  /** Bias of every gate. */
  readonly bias: Float64Array;
  readonly hidden: Float64Array;
  /** State of the cell (LSTM). */
  readonly cell: Float64Array;
  /** Weights of the hidden state, `[gates · hidden, hidden]`. */
  readonly recurrent: Float64Array;
  /** Weights of the cell state in the gates f, i, o (LSTM with peepholes). */
  readonly peepholes?: Float64Array | undefined;
}

/** One step: the next hidden state and the next state of the cell. */
export type Step = (input: StepInput) => { readonly hidden: Float64Array; readonly cell: Float64Array };

/** A kind of recurrent cells. */
export interface CellKind {
  readonly name: 'LSTM' | 'GRU' | 'RNN';
  readonly gates: number;
  /** LSTM has a cell state besides the hidden one. */
  readonly hasCell: boolean;
  readonly activations: readonly string[];
  /** Rows of the bias in units of `hidden_size`. */
  biasRows(a: RecurrentAttributes): number;
  step(a: RecurrentAttributes, f: readonly ((x: number) => number)[]): Step;
}

/** `Σ row · state` for each of `rows` rows from row `from` on. */
function product(weights: Float64Array, state: Float64Array, from: number, rows: number): Float64Array {
  const size = state.length;
  const out = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let k = 0, at = (from + r) * size; k < size; k++) sum += weights[at++]! * state[k]!;
    out[r] = sum;
  }
  return out;
}

function clipper(limit: number): (x: number) => number {
  if (limit === 0 || !Number.isFinite(limit)) return (x) => x;
  return (x) => Math.min(limit, Math.max(-limit, x));
}

/**
 * `f = σ(W_f x + R_f h + b_f)`, i and o alike, `c̃ = g(…)`, `c' = f · c + i · c̃`, `h' = o · h(c')`. Peepholes add
 * `P · c` to f and i and `P · c'` to o; with `input_forget`, `f = 1 − i`.
 */
const lstm: CellKind = {
  name: 'LSTM',
  gates: 4,
  hasCell: true,
  activations: ['sigmoid', 'tanh', 'tanh'],
  biasRows: () => 4,
  step: (a, [f, g, h]) => {
    const size = a.hidden_size;
    const clip = clipper(a.clip);
    const order = a.weights_format ?? 'fico';
    const [atF, atI, atC, atO] = [...'fico'].map((gate) => order.indexOf(gate) * size) as [
      number,
      number,
      number,
      number,
    ];
    return ({ x, bias, hidden, cell, recurrent, peepholes }) => {
      const sums = product(recurrent, hidden, 0, 4 * size).map((v, i) => v + x[i]! + bias[i]!);
      const next = new Float64Array(size);
      const out = new Float64Array(size);
      const peep = (gate: number, k: number): number => peepholes?.[gate * size + k] ?? 0;
      for (let k = 0; k < size; k++) {
        const input = f!(clip(sums[atI + k]! + peep(1, k) * cell[k]!));
        const forget = a.input_forget ? 1 - input : f!(clip(sums[atF + k]! + peep(0, k) * cell[k]!));
        next[k] = forget * cell[k]! + input * g!(clip(sums[atC + k]!));
        out[k] = f!(clip(sums[atO + k]! + peep(2, k) * next[k]!)) * h!(next[k]!);
      }
      return { hidden: out, cell: next };
    };
  },
};

/**
 * `z = σ(W_z x + R_z h + b_z)`, r alike, `h̃ = g(W_h x + R_h (r · h) + b_h)`, or with `linear_before_reset`
 * `h̃ = g(W_h x + r · (R_h h + b_Rh) + b_Wh)`; `h' = (1 − z) · h̃ + z · h`.
 */
const gru: CellKind = {
  name: 'GRU',
  gates: 3,
  hasCell: false,
  activations: ['sigmoid', 'tanh'],
  biasRows: (a) => (a.linear_before_reset ? 4 : 3),
  step: (a, [f, g]) => {
    const size = a.hidden_size;
    const clip = clipper(a.clip);
    return ({ x, bias, hidden, cell, recurrent }) => {
      const sums = product(recurrent, hidden, 0, 2 * size);
      const gate = (i: number): number => f!(clip(sums[i]! + x[i]! + bias[i]!));
      const reset = Float64Array.from({ length: size }, (_, k) => gate(size + k));
      const seen = a.linear_before_reset ? hidden : hidden.map((v, k) => v * reset[k]!);
      const inner = product(recurrent, seen, 2 * size, size);
      const out = new Float64Array(size);
      for (let k = 0; k < size; k++) {
        const at = 2 * size + k;
        const recurrentPart = a.linear_before_reset ? reset[k]! * (inner[k]! + bias[3 * size + k]!) : inner[k]!;
        const candidate = g!(clip(x[at]! + recurrentPart + bias[at]!));
        const update = gate(k);
        out[k] = (1 - update) * candidate + update * hidden[k]!;
      }
      return { hidden: out, cell };
    };
  },
};

/** `h' = f(W x + R h + b)`. */
const rnn: CellKind = {
  name: 'RNN',
  gates: 1,
  hasCell: false,
  activations: ['tanh'],
  biasRows: () => 1,
  step: (a, [f]) => {
    const clip = clipper(a.clip);
    return ({ x, bias, hidden, cell, recurrent }) => ({
      hidden: product(recurrent, hidden, 0, a.hidden_size).map((v, i) => f!(clip(v + x[i]! + bias[i]!))),
      cell,
    });
  },
};

export const cellKinds = { lstm, gru, rnn };

/** Attributes of a cell of one kind. */
export function cellAttributes(kind: CellKind) {
  return z.object({
    hidden_size: int,
    activations: wordList.default([...kind.activations]),
    activations_alpha: floatList.default([]),
    activations_beta: floatList.default([]),
    clip: float.default(0),
  });
}

/** Attributes that GRU has besides. */
export const gruAttributes = {
  /** The candidate is reset behind its product instead of in front of it. */
  linear_before_reset: bool.default(false),
};

/** Attributes that only the first revision of LSTM has. */
export const oldLstmAttributes = {
  /** Order of the gates in the weights. */
  weights_format: enumeration(['fico', 'icof', 'ifco', 'ifoc', 'iofc']).default('fico'),
  input_forget: bool.default(false),
};

export const direction = enumeration(['forward', 'reverse', 'bidirectional']);
