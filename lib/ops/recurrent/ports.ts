// Where the inputs of recurrent operations are, and the shapes that they must have.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import { formatShape } from '../../tensor/shape.ts';
import { commonType, type Facts, inputFact, mergeSizes, requireRank } from '../fact.ts';
import type { CellKind, RecurrentAttributes } from './kinds.ts';

/** Positions of the inputs of a cell; input 0 is x. */
export function cellPorts(kind: CellKind) {
  const states = kind.hasCell ? 2 : 1;
  return { hidden: 1, cell: 2, weights: 1 + states, recurrent: 2 + states, bias: 3 + states, peepholes: 4 + states };
}

/** Positions of the inputs of a sequence; input 0 is x. */
export function sequencePorts(kind: CellKind) {
  const { weights, recurrent, bias, peepholes } = cellPorts(kind);
  return {
    hidden: 1,
    cell: 2,
    lengths: weights,
    weights: weights + 1,
    recurrent: recurrent + 1,
    bias: bias + 1,
    peepholes: peepholes + 1,
  };
}

/** What the inputs agree on. */
export interface Agreed {
  readonly type: ElementType;
  readonly batch: number;
}

/**
 * Checks the inputs of a cell, or of a sequence: there weights have the number of directions in front, states between batch
 * and size.
 *
 * @param directions  empty for a cell, one number for a sequence
 * @throws {LowpError} `ERR_SHAPE_*`, `ERR_TYPE_MISMATCH`, `ERR_OP_INPUTS` for a missing input
 */
export function requireInputs(
  kind: CellKind,
  a: RecurrentAttributes,
  inputs: Facts,
  at: ReturnType<typeof cellPorts>,
  directions: readonly number[] = [],
): Agreed {
  const size = a.hidden_size;
  const rank = 2 + directions.length;
  const [x, hidden, w] = [inputFact(inputs, 0), inputFact(inputs, at.hidden), inputFact(inputs, at.weights)];
  requireRank(x.shape, rank, rank, 'the input');
  requireRank(w.shape, rank, rank, 'the weights');
  const batch = mergeSizes(x.shape[0]!, hidden.shape[0] ?? -1, 'batch of input and state');
  const inputSize = mergeSizes(x.shape.at(-1)!, w.shape.at(-1)!, 'elements of the input and of a row of weights');
  const state = [batch, ...directions, size];
  requireFit(hidden, state, 'the hidden state');
  if (kind.hasCell) requireFit(inputFact(inputs, at.cell), state, 'the cell state');
  requireFit(w, [...directions, kind.gates * size, inputSize], 'the weights');
  requireFit(inputFact(inputs, at.recurrent), [...directions, kind.gates * size, size], 'the recurrent weights');
  const bias = inputs[at.bias];
  if (bias) requireFit(bias, [...directions, kind.biasRows(a) * size], 'the bias');
  const peepholes = inputs[at.peepholes];
  if (peepholes) requireFit(peepholes, [...directions, 3 * size], 'the peepholes');
  return { type: commonType(x, hidden, w), batch };
}

/**
 * A shape that is required; dynamic sizes on either side fit everything.
 *
 * @throws {LowpError} `ERR_SHAPE_RANK`, `ERR_SHAPE_MISMATCH`
 */
export function requireFit(fact: Fact, expected: readonly number[], what: string): void {
  requireRank(fact.shape, expected.length, expected.length, what);
  if (fact.shape.every((d, i) => d < 0 || expected[i]! < 0 || d === expected[i])) return;
  throw new LowpError(
    'ERR_SHAPE_MISMATCH',
    `${what} has shape ${formatShape(fact.shape)}, expected ${formatShape(expected)}`,
  );
}
