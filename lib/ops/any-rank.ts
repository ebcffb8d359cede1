// Values of unknown rank: what is true whichever ranks they have.
import { LowpError } from '../errors/lowp-error.ts';
import type { Fact, OutputPort } from '../graph/node.ts';
import { commonShape, hasRank, unknownRank, unknownShape } from '../tensor/shape.ts';
import type { OpDef } from './define-op.ts';

/** Largest rank that is tried. */
const mostRank = 8;

/** Inputs whose ranks are tried in every combination; of more, ranks that are alike but for one are tried. */
const mostIndependent = 3;

/** Inputs of unknown rank that a node may have where its meaning depends on them. */
const mostPorts = 8;

/**
 * The facts of the outputs. For inputs of unknown rank the operation is asked once for each rank that they can have: what
 * all answers agree on is known, and ranks that the operation refuses are none that a run can have. An operation with
 * bodies hands the unknown rank on to them.
 *
 * @throws {LowpError} `ERR_SHAPE_DYNAMIC` when the operation cannot tell for some rank, or tells of other outputs for each;
 *   what the inference throws; when every rank is refused, what the last one is refused for
 */
export function inferRanks(
  definition: OpDef,
  attributes: Readonly<Record<string, unknown>>,
  inputs: readonly (Fact | undefined)[],
): Fact[] {
  const open = inputs.flatMap((fact, i) => (fact && !hasRank(fact.shape) ? [i] : []));
  if (open.length === 0 || definition.control) return definition.infer(attributes, inputs);
  let common: Fact[] | undefined;
  let refused: unknown;
  for (const ranks of ranksOf(open.length)) {
    const tried = [...inputs];
    for (const [k, i] of open.entries()) tried[i] = { ...inputs[i]!, shape: unknownShape(ranks[k]!) };
    let facts: readonly Fact[];
    try {
      facts = definition.infer(attributes, tried);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused = error;
      continue;
    }
    common = common ? merge(common, facts) : facts.map(({ type, shape }) => ({ type, shape }));
  }
  if (!common) throw refused;
  return open.length > mostIndependent ? common.map(({ type }) => ({ type, shape: unknownRank })) : common;
}

/**
 * Ranks of ports that stand for all that they can have: whatever `attempt` makes of the others, it makes of these. Ranks
 * for which it throws are none that are allowed. A scalar counts only where no other rank is allowed: its shape is static,
 * so that less may be computed for it than for others.
 *
 * @param attempt  what is made for some ranks, one for each port, as text
 * @throws {LowpError} `ERR_SHAPE_DYNAMIC` when that depends on the ranks, is not known for some of them, or when there are
 *   too many ports for all combinations to be tried; what `attempt` throws when it throws for all
 */
export function agreedRanks(
  node: string,
  ports: number,
  attempt: (ranks: readonly number[]) => string,
): readonly number[] {
  if (ports > mostPorts) {
    throw new LowpError(
      'ERR_SHAPE_DYNAMIC',
      `'${node}' has ${ports} inputs of unknown rank; at most ${mostPorts} are tried`,
      {
        node,
        help,
      },
    );
  }
  const all = ranksOf(ports);
  let refused: unknown;
  for (const tried of [all.filter((ranks) => !ranks.includes(0)), all.filter((ranks) => ranks.includes(0))]) {
    let first: { readonly ranks: readonly number[]; readonly text: string } | undefined;
    for (const ranks of tried) {
      let text: string;
      try {
        text = attempt(ranks);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused ??= error;
        continue;
      }
      first ??= { ranks, text };
      if (text !== first.text) {
        throw new LowpError('ERR_SHAPE_DYNAMIC', `'${node}' means something else for each rank of its inputs`, {
          node,
          help,
        });
      }
    }
    if (first) return first.ranks;
  }
  throw refused;
}

const help = 'The rank depends on the inputs of the model. Give their shapes: { shapes } of openModel, or --shape.';

/** True for ranks that are not allowed; false where the error tells that too little is known. */
function isRefusal(error: unknown): boolean {
  return error instanceof LowpError && error.code !== 'ERR_SHAPE_DYNAMIC';
}

/** Runs something while the ports have these ranks. */
export function withRanks<T>(ports: readonly OutputPort[], ranks: readonly number[], run: () => T): T {
  const facts = ports.map((port): Fact => port.fact);
  for (const [i, port] of ports.entries()) port.fact = { type: port.fact.type, shape: unknownShape(ranks[i]!) };
  try {
    return run();
  } finally {
    for (const [i, port] of ports.entries()) port.fact = facts[i]!;
  }
}

/** The ranks of `count` values: every combination, those that are alike but for one, or of many those that are alike. */
function ranksOf(count: number): number[][] {
  const ranks = Array.from({ length: mostRank + 1 }, (_, rank) => rank);
  if (count > mostIndependent) {
    const alike = ranks.map((rank) => new Array<number>(count).fill(rank));
    if (count > mostPorts) return alike;
    const others = alike.flatMap((list) => list.flatMap((_, i) => ranks.map((rank) => list.with(i, rank))));
    return [...alike, ...others.filter((list) => list.some((rank) => rank !== list[0]))];
  }
  let lists: number[][] = [[]];
  for (let i = 0; i < count; i++) lists = lists.flatMap((list) => ranks.map((rank) => [...list, rank]));
  return lists;
}

function merge(a: readonly Fact[], b: readonly Fact[]): Fact[] {
  if (a.length !== b.length || a.some((fact, i) => fact.type !== b[i]!.type)) {
    throw new LowpError('ERR_SHAPE_DYNAMIC', 'its outputs depend on the rank of its inputs, which is not known', {
      help: 'Give every input of the model a static shape.',
    });
  }
  return a.map(({ type, shape }, i) => ({ type, shape: commonShape(shape, b[i]!.shape) }));
}
