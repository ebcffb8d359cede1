// The run of a loop: what every iteration is given, and what remains of it.
import { limits } from '../../errors/limits.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import type { SubGraph } from '../../graph/sub-graph.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import type { Control } from '../define-op.ts';
import { factsOf } from '../fact.ts';
import { slicedIterations } from './infer-body.ts';
import { isSliced, joinPieces, noPieces, pieceOf } from './slicing.ts';

/** When a loop ends. */
export interface Ending {
  /** Iterations at most; infinite without a limit. */
  readonly most: number;
  /** False: not one iteration. */
  readonly begins: boolean;
}

/**
 * Runs the body until the ending is reached, the pieces of the sliced inputs are used up, or the execution condition of
 * the body is false. Carried values without an iteration are what they began with, joined ones have size 0.
 *
 * @throws {LowpError} `ERR_LIMIT_SIZE` beyond 2^24 iterations
 */
export function* iterate(sub: SubGraph, inputs: readonly (Tensor | undefined)[], ending: Ending): Control {
  const pieces = slicedIterations(sub, factsOf(inputs)) ?? Number.POSITIVE_INFINITY;
  const most = Math.min(ending.most, pieces);
  const condition = sub.outputs.find((m) => m.purpose === 'execution_condition')?.internal;
  const carried = new Map<number, Tensor>();
  const kept = new Map(sub.outputs.filter(isSliced).map((m) => [m, [] as Tensor[]]));
  let last: readonly Tensor[] | undefined;
  let goesOn = ending.begins;
  for (let i = 0; i < most && goesOn; i++) {
    if (i === limits.loopIterations.value) {
      throw new LowpError('ERR_LIMIT_SIZE', `the loop has not ended after ${limits.loopIterations.value} iterations`);
    }
    last = yield { subGraph: sub, feeds: feedsOf(sub, inputs, carried, i) };
    for (const { from, to } of sub.backEdges) carried.set(to, last[from]!);
    for (const [mapping, parts] of kept) parts.push(last[mapping.internal]!);
    goesOn = condition === undefined || toFloat64(last[condition]!)[0] !== 0;
  }
  return outputsOf(sub, inputs, kept, last);
}

function feedsOf(
  sub: SubGraph,
  inputs: readonly (Tensor | undefined)[],
  carried: ReadonlyMap<number, Tensor>,
  iteration: number,
): Tensor[] {
  const feeds: Tensor[] = [];
  for (const mapping of sub.inputs) {
    const { internal, external } = mapping;
    if (external < 0) {
      const { type, shape } = sub.body.parameters()[internal]!.output.fact;
      feeds[internal] = tensor(type, shape, [type === 'i64' ? BigInt(iteration) : iteration]);
    } else {
      feeds[internal] = isSliced(mapping)
        ? pieceOf(inputs[external]!, mapping.slicing, iteration)
        : (carried.get(internal) ?? inputs[external]!);
    }
  }
  return feeds;
}

function outputsOf(
  sub: SubGraph,
  inputs: readonly (Tensor | undefined)[],
  kept: ReadonlyMap<SubGraph['outputs'][number], readonly Tensor[]>,
  last: readonly Tensor[] | undefined,
): Tensor[] {
  const outputs: Tensor[] = [];
  for (const mapping of sub.outputs) {
    const { external, internal } = mapping;
    if (external < 0) continue;
    const parts = kept.get(mapping);
    const { type, shape } = sub.body.results()[internal]!.source(0)!.fact;
    if (parts && isSliced(mapping)) {
      const { axis } = mapping.slicing;
      outputs[external] = parts.length > 0 ? joinPieces(parts, mapping.slicing) : noPieces(type, shape, axis);
    } else outputs[external] = last?.[internal] ?? initial(sub, internal, inputs);
  }
  return outputs;
}

/** What a carried value began with. */
function initial(sub: SubGraph, result: number, inputs: readonly (Tensor | undefined)[]): Tensor {
  const to = sub.backEdges.find((e) => e.from === result)?.to;
  const mapping = sub.inputs.find((m) => m.internal === to);
  const value = mapping && inputs[mapping.external];
  if (value) return value;
  throw new LowpError('ERR_OP_INPUTS', 'the loop had no iteration, and an output has no value that it began with');
}
