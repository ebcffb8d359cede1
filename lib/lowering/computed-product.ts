// Emits products of two computed matrices: operands are read, and results written, where transposes around them want them.
import type { Node, OutputPort } from '../graph/node.ts';
import type { QuantFormat, StridedView } from '../ops/lower-context.ts';
import { mergeAxes } from '../ops/memory-layout.ts';
import { clampedGrid, roundingOf } from '../ops/quantization/grid.ts';
import { runtimeOf } from '../ops/registry.ts';
import type { BufferId } from '../program/program.ts';
import { elementCount, type Shape, stridesOf } from '../tensor/shape.ts';
import type { Chain } from './fuse-post-ops.ts';
import type { Lowering } from './lower.ts';

/** A stack of matrices: strides of the axes in front, of rows and of columns. */
interface Matrices extends StridedView {
  readonly batch: readonly number[];
  readonly row: number;
  readonly column: number;
}

/** Batch axes that the kernel iterates over. */
const kernelAxes = 2;

/**
 * Emits the calls of `a · b` with the chain behind it: one call, or one for each index of the batch axes that the kernel
 * does not have.
 */
export function lowerComputedProduct(
  lowering: Lowering,
  node: Node,
  chain: Chain,
  transposes: { readonly a: boolean; readonly b: boolean },
): void {
  const out = matrixShape(node);
  const batch = out.slice(0, -2);
  const a = operand(lowering, node, 0, transposes.a, batch.length, (m) => m.column === 1);
  const b = operand(lowering, node, 1, transposes.b, batch.length, (m) => m.column === 1 || m.row === 1);
  const k = node.source(0)!.fact.shape.at(transposes.a && node.source(0)!.fact.shape.length > 1 ? -2 : -1)!;
  const residual = residualOf(lowering, node, chain, out);
  const place = placeResult(lowering, node, chain);
  const strides = [place.batch, a.batch, b.batch, residual?.batch ?? batch.map(() => 0)];
  const { dims, strides: merged } = mergeAxes(batch, strides);
  const outer = dims.slice(0, Math.max(0, dims.length - kernelAxes));
  const inner = (list: readonly number[], fill: number): number[] => {
    const last = list.slice(outer.length);
    return [...new Array<number>(kernelAxes - last.length).fill(fill), ...last];
  };
  const [d0, d1] = inner(dims, 1) as [number, number];
  const [y, x, w, r] = merged.map((list) => inner(list, 0)) as [number[], number[], number[], number[]];
  const params = {
    batch0: d0,
    batch1: d1,
    m: out.at(-2)!,
    k,
    n: out.at(-1)!,
    aBatch0: x[0]!,
    aBatch1: x[1]!,
    aRow: a.row,
    bBatch0: w[0]!,
    bBatch1: w[1]!,
    bK: b.row,
    bN: b.column,
    yBatch0: y[0]!,
    yBatch1: y[1]!,
    yRow: place.row,
    residualBatch0: r[0]!,
    residualBatch1: r[1]!,
    residualRow: residual?.row ?? 0,
    ...numbersOf(chain, a.format, b.format, residual?.format),
  };
  const operands = { name: node.name, in: [a.buffer, b.buffer, residual?.buffer], out: [place.buffer] };
  for (const at of positions(outer)) {
    const shift = merged.map((list) => at.reduce((sum, i, axis) => sum + i * list[axis]!, 0));
    lowering.builder.call(
      'batched_matmul',
      {
        ...params,
        yOffset: place.offset + shift[0]!,
        aOffset: a.offset + shift[1]!,
        bOffset: b.offset + shift[2]!,
        residualOffset: (residual?.offset ?? 0) + shift[3]!,
      },
      operands,
    );
  }
}

/** All indices of a box, in order. */
function positions(dims: readonly number[]): number[][] {
  return dims.reduce<number[][]>(
    (all, d) => all.flatMap((at) => Array.from({ length: d }, (_, i) => [...at, i])),
    [[]],
  );
}

/** The output as `[batch…, rows, columns]`; operands of rank 1 are a row or a column. */
function matrixShape(node: Node): number[] {
  const shape = [...node.output.fact.shape];
  if (node.source(1)!.fact.shape.length === 1) shape.push(1);
  if (node.source(0)!.fact.shape.length === 1) shape.splice(shape.length - 1, 0, 1);
  return shape;
}

function operand(
  lowering: Lowering,
  node: Node,
  input: number,
  transposed: boolean,
  batchAxes: number,
  fits: (matrices: Matrices) => boolean,
): Matrices {
  const { shape } = node.source(input)!.fact;
  let view = lowering.view(node, input);
  let matrices = matricesOf(view, shape, input, transposed, batchAxes);
  if (!fits(matrices)) {
    const order = shape.map((_, i) => i);
    const swap = input === 0 && transposed && shape.length > 1;
    if (swap) order.push(...order.splice(-2).reverse());
    const permuted = { ...view, strides: order.map((axis) => view.strides[axis]!) };
    const dims = order.map((axis) => shape[axis]!);
    view = lowering.values.denseView(node.source(input)!.node.name, dims, permuted);
    matrices = matricesOf(view, dims, input, transposed && !swap, batchAxes);
  }
  return matrices;
}

/** The last two axes of an operand as rows and columns, the others as the output's batch axes. */
function matricesOf(view: StridedView, shape: Shape, input: number, transposed: boolean, batchAxes: number): Matrices {
  const strides = shape.map((d, i) => (d === 1 ? 0 : view.strides[i]!));
  // A column or row of 1 element may have any stride; 1 is the one that kernels like.
  const last = shape.map((d, i) => (d === 1 ? 1 : view.strides[i]!)).slice(-2);
  const vector = last[0]!;
  const pair = shape.length > 1 ? (last as [number, number]) : input === 0 ? [shape[0]!, vector] : [vector, 1];
  const [row, column] = transposed && shape.length > 1 ? [pair[1]!, pair[0]!] : (pair as [number, number]);
  const own = shape.length > 1 ? strides.slice(0, -2) : [];
  return { ...view, batch: [...new Array<number>(batchAxes - own.length).fill(0), ...own], row, column };
}

/** What is added in the epilogue, repeated along the axes that it does not have. */
function residualOf(lowering: Lowering, node: Node, chain: Chain, out: Shape): Matrices | undefined {
  const step = chain.steps.find((s) => s.kind === 'add' || s.kind === 'bias');
  if (!step) return undefined;
  if (step.kind === 'bias') {
    const batch = out.slice(0, -2).map(() => 0);
    const buffer = lowering.builder.constant('f32', step.values);
    return { type: 'f32', buffer, offset: 0, strides: [...batch, 0, 1], batch, row: 0, column: 1 };
  }
  const { other } = step;
  const { shape } = other.fact;
  const bytes = lowering.plan.precision.get(node)!.bytes && lowering.values.isStoredAsBytes(other);
  let view = lowering.values.view(other, bytes);
  const dims = [...new Array<number>(out.length - shape.length).fill(1), ...shape];
  const padded = (v: StridedView): number[] =>
    [...new Array<number>(out.length - shape.length).fill(0), ...v.strides].map((s, i) => (dims[i] === 1 ? 0 : s));
  if (padded(view).at(-1) !== 1 && dims.at(-1) !== 1) view = lowering.values.denseView(node.name, shape, view);
  const strides = padded(view);
  return { ...view, batch: strides.slice(0, -2), row: strides.at(-2)!, column: 1 };
}

/** Memory for the end of the chain, in the order in which a transpose behind it reads, when columns stay last. */
function placeResult(lowering: Lowering, node: Node, chain: Chain): Matrices {
  const { port } = chain;
  const { shape } = port.fact;
  const store = chain.steps.find((s) => s.kind === 'quantize');
  const order = readingOrder(port);
  const dims = order.map((axis) => shape[axis]!);
  const dense = stridesOf(dims);
  const strides = shape.map((_, axis) => dense[order.indexOf(axis)]!);
  const isPlain = order.every((axis, i) => axis === i);
  const type = store ? 'u8' : 'f32';
  let buffer: BufferId;
  if (!isPlain) {
    buffer = lowering.builder.temporary(type, elementCount(shape));
    const view = { type, buffer, offset: 0, strides, ...(store ? { format: store.format } : {}) } as const;
    lowering.values.defineView(port, view);
  } else if (store) buffer = lowering.placeQuantized(port, 'plain', store.format).buffer;
  else buffer = lowering.placeFloat(port, 'plain').buffer;
  const out = matrixShape(node);
  const full = isPlain ? stridesOf(out) : strides;
  return { type, buffer, offset: 0, strides: full, batch: full.slice(0, -2), row: full.at(-2)!, column: 1 };
}

/** The order of axes that the only reader of a port wants in memory, when it leaves the last axis where it is. */
function readingOrder(port: OutputPort): readonly number[] {
  const { shape } = port.fact;
  const order =
    port.consumers.size === 1
      ? runtimeOf([...port.consumers][0]!.node)?.permutes?.([...port.consumers][0]!.node)
      : undefined;
  return order && order.at(-1) === shape.length - 1 ? order : shape.map((_, i) => i);
}

/**
 * With factors f, scales a and b, stored scale s and zero z, residual scale r and zero zr (floats are stored with s = 1,
 * z = 0): bytes `v = acc · f · a · b / s + (z − zr · r / s)`, floats `v = acc · f / s + z`; then
 * `v += residual · r / s`.
 */
function numbersOf(
  chain: Chain,
  a: QuantFormat | undefined,
  b: QuantFormat | undefined,
  residual: QuantFormat | undefined,
): Record<string, number> {
  let factor = 1;
  for (const step of chain.steps) if (step.kind === 'scale') factor *= step.values[0]!;
  const clamp = chain.steps.find((s) => s.kind === 'clamp');
  const store = chain.steps.find((s) => s.kind === 'quantize')?.format;
  const limits = { low: clamp?.low ?? Number.NEGATIVE_INFINITY, high: clamp?.high ?? Number.POSITIVE_INFINITY };
  const rounding = store && roundingOf(store);
  const unit = rounding?.scale[0] ?? 1;
  const residualScale = (residual?.scale[0] ?? 1) / unit;
  const [byteLow, byteHigh] = store ? clampedGrid(store, limits, 0) : [0, 255];
  const floatLimits = store ? { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY } : limits;
  const common = { residualScale, byteLow, byteHigh, ...floatLimits };
  if (!a || !b) return { ...common, alpha: factor / unit, scale: 1, bias: rounding?.zero[0] ?? 0 };
  return {
    ...common,
    alpha: 1,
    aZeroPoint: a.zeroPoint[0]!,
    bZeroPoint: b.zeroPoint[0]!,
    scale: (factor * a.scale[0]! * b.scale[0]!) / unit,
    bias: (rounding?.zero[0] ?? 0) - (residual ? residual.zero[0]! * residualScale : 0),
  };
}
