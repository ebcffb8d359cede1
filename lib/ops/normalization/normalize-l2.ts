// NormalizeL2: divides by the Euclidean norm over axes.
import * as z from 'zod';
import type { Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { elementCount, isStatic } from '../../tensor/shape.ts';
import { enumeration, float } from '../attribute.ts';
import { normalizeAxes } from '../axes.ts';
import { expandedStrides, stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { inputFact, knownIntegers } from '../fact.ts';

const attributes = z.object({ eps: float, eps_mode: enumeration(['add', 'max']).default('add') });

type Attributes = z.infer<typeof attributes>;

/** Axes that are known to be there. */
function expand(a: Attributes, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const x = node.source(0)!;
  const known = knownIntegers(node.source(1)?.fact);
  if (!known || x.fact.type !== 'f32' || !isStatic(x.fact.shape)) return undefined;
  const rank = x.fact.shape.length;
  const axes = known.length > 0 ? normalizeAxes(known, rank) : Array.from({ length: rank }, (_, i) => i);
  const squares = e.add('Multiply', [x, x], {}, 'squares');
  const sum = e.add('ReduceSum', [squares, e.constant('i64', [axes.length], axes, 'axes')], { keep_dims: true }, 'sum');
  const eps = e.constant('f32', [], [a.eps], 'eps');
  const limited = e.add(a.eps_mode === 'add' ? 'Add' : 'Maximum', [sum, eps], {}, 'limited');
  return [e.add('Divide', [x, e.add('Sqrt', [limited], {}, 'norm')], {}, 'quotient')];
}

/** x / √(Σ x² + eps), or x / √max(Σ x², eps), sums over the axes at input 1; over all axes when it is empty. */
export const normalizeL2 = defineOp({
  type: 'NormalizeL2',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape }];
  },
  evaluate: (a, [x, axesInput]) => {
    const axes = normalizeAxes(toIntegers(axesInput!), x!.shape.length);
    const kept = x!.shape.map((d, i) => (axes.length === 0 || axes.includes(i) ? 1 : d));
    const group = stridedOffsets(x!.shape, expandedStrides(kept, x!.shape));
    const data = toFloat64(x!);
    const sums = new Float64Array(elementCount(kept));
    for (let i = 0; i < data.length; i++) sums[group[i]!]! += data[i]! * data[i]!;
    const norms = sums.map((s) => Math.sqrt(a.eps_mode === 'add' ? s + a.eps : Math.max(s, a.eps)));
    for (let i = 0; i < data.length; i++) data[i]! /= norms[group[i]!]!;
    return [fromFloat64(data, x!.shape, x!.type)];
  },
  expand: (a, node, e) => expand(a, node, e),
  quantization: { quantizedPorts: [0] },
});
