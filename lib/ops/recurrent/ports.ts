// Where the inputs of recurrent operations are, and the shapes that they must have.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { formatShape } from '../../tensor/shape.ts';
import { requireRank } from '../fact.ts';
import type { CellKind } from './kinds.ts';

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

/**
 * A shape that is required; dynamic sizes on either side fit everything.
 *
 * @throws {LowpError} `ERR_SHAPE_RANK`, `ERR_SHAPE_MISMATCH`
 */
export function requireShape(fact: Fact, expected: readonly number[], what: string): void {
  requireRank(fact.shape, expected.length, expected.length, what);
  if (fact.shape.every((d, i) => d < 0 || expected[i]! < 0 || d === expected[i])) return;
  throw new LowpError(
    'ERR_SHAPE_MISMATCH',
    `${what} has shape ${formatShape(fact.shape)}, expected ${formatShape(expected)}`,
  );
}
