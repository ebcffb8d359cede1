// Reductions over axes: ReduceSum, Mean, Max, Min, Prod, L1, L2, LogicalAnd, LogicalOr.
import * as z from 'zod';
import type { Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, isStatic, unknownRank, unknownShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool } from '../attribute.ts';
import { normalizeAxes } from '../axes.ts';
import { expandedStrides, stridedOffsets } from '../broadcast.ts';
import { defineOp, type OpDef, type QuantTraits } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { lowerPool } from '../pooling/lower.ts';
import { type KernelReduction, lowerReduce } from './lower-reduce.ts';

const attributes = z.object({ keep_dims: bool.default(false) });

type Attributes = z.infer<typeof attributes>;

/** A reduction: `finish(Σ, n)` where Σ starts at `start` and takes in one element after another. */
interface Reduction {
  readonly opset?: string;
  readonly start: number;
  add(sum: number, x: number): number;
  finish?(sum: number, count: number): number;
  readonly quantization?: QuantTraits;
  /** Absent: it is evaluated on the host. */
  readonly kernel?: KernelReduction;
  /** The reduction of floats 0 and 1 that is the same. */
  readonly ofFloats?: string;
  /** A mean over all positions of an image is an average pool. */
  readonly isMean?: boolean;
}

const reductions: Readonly<Record<string, Reduction>> = {
  ReduceSum: { start: 0, add: (s, x) => s + x, kernel: { function: 'sum' } },
  ReduceMean: {
    start: 0,
    add: (s, x) => s + x,
    finish: (s, n) => s / n,
    quantization: { quantizedPorts: [0] },
    kernel: { function: 'sum', finish: 'divideByCount' },
    isMean: true,
  },
  ReduceMax: {
    start: Number.NEGATIVE_INFINITY,
    add: Math.max,
    quantization: { ascend: 'first' },
    kernel: { function: 'max' },
  },
  ReduceMin: { start: Number.POSITIVE_INFINITY, add: Math.min, kernel: { function: 'min' } },
  ReduceProd: { start: 1, add: (s, x) => s * x, kernel: { function: 'prod' } },
  ReduceL1: { opset: 'opset4', start: 0, add: (s, x) => s + Math.abs(x), kernel: { function: 'sumAbs' } },
  ReduceL2: {
    opset: 'opset4',
    start: 0,
    add: (s, x) => s + x * x,
    finish: Math.sqrt,
    kernel: { function: 'sumSquares', finish: 'root' },
  },
  ReduceLogicalAnd: { start: 1, add: (s, x) => s & x, ofFloats: 'ReduceMin' },
  ReduceLogicalOr: { start: 0, add: (s, x) => s | x, ofFloats: 'ReduceMax' },
};

function infer(a: Attributes, inputs: Facts) {
  const [x, axes] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const rank = x.shape.length;
  const list = knownIntegers(axes);
  if (list) {
    const reduced = new Set(normalizeAxes(list, rank));
    const kept = x.shape.map((d, i) => (reduced.has(i) ? 1 : d));
    return [{ type: x.type, shape: a.keep_dims ? kept : kept.filter((_, i) => !reduced.has(i)) }];
  }
  if (!a.keep_dims && !isStatic(axes.shape)) return [{ type: x.type, shape: unknownRank }];
  const dropped = a.keep_dims ? 0 : elementCount(axes.shape);
  return [{ type: x.type, shape: unknownShape(rank - dropped) }];
}

function reduce(r: Reduction, a: Attributes, x: Tensor, axes: Tensor): Tensor {
  const kept = infer({ keep_dims: true }, factsOf([x, axes]))[0]!.shape;
  const { shape } = infer(a, factsOf([x, axes]))[0]!;
  const data = toFloat64(x);
  const sums = new Float64Array(elementCount(kept)).fill(r.start);
  const target = stridedOffsets(x.shape, expandedStrides(kept, x.shape));
  for (let i = 0; i < data.length; i++) {
    const to = target[i]!;
    sums[to] = r.add(sums[to]!, data[i]!);
  }
  const count = data.length / sums.length;
  if (r.finish) for (let i = 0; i < sums.length; i++) sums[i] = r.finish(sums[i]!, count);
  return fromFloat64(sums, shape, x.type);
}

/** The axes of a node, where they are constant. */
function axesOf(node: Node): Set<number> | undefined {
  const list = knownIntegers(node.source(1)?.fact);
  return list && new Set(normalizeAxes(list, node.source(0)!.fact.shape.length));
}

/** The reduced axes are all axes behind the channels of an image. */
function isGlobalPool(node: Node): boolean {
  const { length } = node.source(0)!.fact.shape;
  const axes = axesOf(node);
  return axes !== undefined && length >= 3 && length <= 5 && axes.size === length - 2 && !axes.has(0) && !axes.has(1);
}

/** Emits a mean over all axes behind the channels as an average pool. */
function lowerGlobalPool(node: Node, context: LowerContext): void {
  const spatial = node.source(0)!.fact.shape.slice(2);
  const ones = spatial.map(() => 1);
  const zeros = spatial.map(() => 0);
  const window = {
    input: spatial,
    kernel: spatial,
    strides: ones,
    dilations: ones,
    padsBegin: zeros,
    padsEnd: zeros,
    output: ones,
  };
  lowerPool(node, context, window, 'averageInside');
}

function lowering(r: Reduction, kernel: KernelReduction): Pick<OpDef<Attributes>, 'lower' | 'canLower' | 'runtime'> {
  const isPool = (node: Node): boolean => r.isMean === true && isGlobalPool(node);
  return {
    lower: (_, node, context) =>
      isPool(node) ? lowerGlobalPool(node, context) : lowerReduce(node, context, axesOf(node)!, kernel),
    canLower: (_, node) => axesOf(node) !== undefined,
    runtime: (node) => (isPool(node) ? { bytes: 'combine', epilogue: 'round' } : { bytes: 'never', epilogue: 'none' }),
  };
}

function expandLogical(type: string, a: Attributes, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const [x, axes] = [node.source(0)!, node.source(1)!];
  if (x.fact.type !== 'boolean' || !isStatic(x.fact.shape) || !knownIntegers(axes.fact)) return undefined;
  const floats = e.add('Convert', [x], { destination_type: 'f32' }, 'floats');
  const reduced = e.add(type, [floats, axes], { keep_dims: a.keep_dims }, 'reduced');
  // Of nothing the largest is -Infinity, which is false, and the least Infinity, which is true.
  return [e.add('Greater', [reduced, e.constant('f32', [], [0], 'zero')], {}, 'boolean')];
}

/** Inputs: data, axes (one number or a list, negative from the end; none reduces nothing). Whole results are truncated. */
export const reductionOps: readonly OpDef[] = Object.entries(reductions).map(([type, r]) =>
  defineOp<Attributes>({
    type,
    opset: r.opset ?? 'opset1',
    attributes,
    inputs: [2, 2],
    infer,
    evaluate: (a, [x, axes]) => [reduce(r, a, x!, axes!)],
    ...(r.ofFloats ? { expand: (a, node, e) => expandLogical(r.ofFloats!, a, node, e) } : {}),
    ...(r.kernel ? lowering(r, r.kernel) : {}),
    ...(r.quantization ? { quantization: r.quantization } : {}),
  }),
);
