// ScaledDotProductAttention: what queries find among keys, as a mean of values.
import * as z from 'zod';
import type { Fact, OutputPort } from '../../graph/node.ts';
import { broadcastShapes, isStatic } from '../../tensor/shape.ts';
import { bool } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { evaluateExpansion } from '../evaluate-expansion.ts';
import type { Expansion } from '../expansion.ts';
import { commonType, type Facts, inputFact, mergeSizes, requireRank } from '../fact.ts';

const attributes = z.object({ causal: bool.default(false) });

type Attributes = z.infer<typeof attributes>;

function infer(_: Attributes, inputs: Facts): Fact[] {
  const [q, k, v] = [0, 1, 2].map((i) => inputFact(inputs, i)) as [Fact, Fact, Fact];
  for (const [i, fact] of [q, k, v].entries()) requireRank(fact.shape, 2, Number.POSITIVE_INFINITY, `input ${i}`);
  mergeSizes(q.shape.at(-1)!, k.shape.at(-1)!, 'elements of queries and keys');
  mergeSizes(k.shape.at(-2)!, v.shape.at(-2)!, 'keys and values');
  const lead = [q, k, v].map((f) => f.shape.slice(0, -2)).reduce((a, b) => broadcastShapes(a, b));
  return [{ type: commonType(q, k, v), shape: [...lead, q.shape.at(-2)!, v.shape.at(-1)!] }];
}

/** The mask as summands: a truth value keeps (0) or forbids (−∞). */
function summands(e: Expansion, mask: OutputPort, type: Fact['type']): OutputPort {
  if (mask.fact.type !== 'boolean') return mask;
  const kept = e.constant(type, [], [0], 'kept');
  const forbidden = e.constant(type, [], [Number.NEGATIVE_INFINITY], 'forbidden');
  return e.add('Select', [mask, kept, forbidden], {}, 'mask');
}

/** Key j is forbidden to query i for j > i. */
function causalMask(e: Expansion, queries: number, keys: number, type: Fact['type']): OutputPort {
  const values = Array.from({ length: queries * keys }, (_, at) =>
    at % keys > Math.floor(at / keys) ? Number.NEGATIVE_INFINITY : 0,
  );
  return e.constant(type, [queries, keys], values, 'causal');
}

function expand(a: Attributes, inputs: readonly (OutputPort | undefined)[], e: Expansion): OutputPort[] | undefined {
  const [q, k, v, mask, scale] = inputs as [OutputPort, OutputPort, OutputPort, OutputPort?, OutputPort?];
  const { type, shape } = q.fact;
  if (!isStatic(shape) || !isStatic(k.fact.shape)) return undefined;
  const factor = scale ?? e.constant(type, [], [1 / Math.sqrt(shape.at(-1)!)], 'scale');
  const scaled = e.add('Multiply', [q, factor], {}, 'queries');
  let scores = e.add('MatMul', [scaled, k], { transpose_a: false, transpose_b: true }, 'scores');
  if (a.causal) scores = e.add('Add', [scores, causalMask(e, shape.at(-2)!, k.fact.shape.at(-2)!, type)], {}, 'masked');
  else if (mask) scores = e.add('Add', [scores, summands(e, mask, type)], {}, 'masked');
  const weights = e.add('SoftMax', [scores], { axis: -1 }, 'weights');
  return [e.add('MatMul', [weights, v], { transpose_a: false, transpose_b: false }, 'values')];
}

/**
 * `softmax(q · kᵀ · scale + mask) · v` over the two last axes. Inputs: q, k, v, mask (summands, or truth values that keep),
 * scale (default `1 / √(elements of a query)`). With `causal` query i sees the keys up to i, and no mask is read.
 */
export const scaledDotProductAttention = defineOp({
  type: 'ScaledDotProductAttention',
  opset: 'opset13',
  attributes,
  inputs: [3, 5],
  infer,
  evaluate: (a, present, all) => evaluateExpansion(all ?? present, (ports, e) => expand(a, ports, e)!),
  expand: (a, node, e) =>
    expand(
      a,
      node.inputs.map((i) => i.source),
      e,
    ),
});
