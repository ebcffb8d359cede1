// Operations that only move elements, as strided copies or as other names for the same memory.
import type { Node, OutputPort } from '../../graph/node.ts';
import { programTypes } from '../../program/program.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { Layout, LowerContext, QuantFormat } from '../lower-context.ts';
import { memoryStrides } from '../memory-layout.ts';
import { gridTolerance } from '../quantization/grid.ts';
import { emitCopy } from './emit-copy.ts';
import type { Progression } from './slicing.ts';

/** Elements of any type; bytes may pass when they have one scale. */
export const moveRuntime: RuntimeTraits = {
  bytes: 'move',
  epilogue: 'none',
  types: { inputs: [programTypes], outputs: [programTypes] },
};

/** The input in a layout, as bytes when the node runs on bytes, else in its own type, and a place of the same kind. */
export function moved(
  node: Node,
  context: LowerContext,
  layout: Layout,
): { buffer: number; format?: QuantFormat; place(port: OutputPort, layout: Layout): number } {
  const bytes = context.quantized(node, 0, layout);
  return {
    buffer: bytes?.buffer ?? context.elements(node, 0, layout),
    ...(bytes ? { format: bytes.format } : {}),
    place: (port, to) => (bytes ? context.placeQuantized(port, to, bytes.format).buffer : context.place(port, to)),
  };
}

/** Reshape and its relatives: the same memory in the model's order. */
export function lowerReshape(_: unknown, node: Node, context: LowerContext): void {
  context.alias(node.output, node, 0, { from: 'plain', to: 'plain' });
}

/** The same memory through other strides; it is copied only for readers that need it dense. */
export function lowerTranspose(node: Node, context: LowerContext, order: readonly number[]): void {
  const view = context.view(node, 0);
  context.defineView(node.output, { ...view, strides: order.map((axis) => view.strides[axis]!) });
}

/** One output of a slicing operation: first element and step along each input axis. */
export interface SliceBox {
  readonly port: OutputPort;
  readonly begin: readonly number[];
  readonly step: readonly number[];
  /** Input axes that the output keeps, in order. */
  readonly kept: readonly number[];
}

/** A box from the positions taken of each input axis; undefined positions take the whole axis. */
export function sliceBox(
  port: OutputPort,
  positions: readonly (Progression | undefined)[],
  kept: readonly number[] = positions.map((_, i) => i),
): SliceBox {
  return {
    port,
    begin: positions.map((p) => (p && p.count > 0 ? p.first : 0)),
    step: positions.map((p) => (p && p.count > 1 ? p.step : 1)),
    kept,
  };
}

/** Slices of input 0; outputs of the same rank keep its layout. */
export function lowerSlices(node: Node, context: LowerContext, slices: readonly SliceBox[]): void {
  const { shape } = node.source(0)!.fact;
  const layout = context.layoutOf(node, 0);
  const source = moved(node, context, layout);
  const strides = memoryStrides(shape, layout);
  for (const { port, begin, step, kept } of slices) {
    const out = port.fact.shape;
    const outLayout = kept.length === shape.length ? layout : 'plain';
    const box = {
      dims: kept.map((_, i) => out[i]!),
      inStrides: kept.map((axis) => strides[axis]! * step[axis]!),
      outStrides: memoryStrides(out, outLayout),
      inOffset: begin.reduce((sum, b, axis) => sum + b * strides[axis]!, 0),
      outOffset: 0,
    };
    emitCopy(context.builder, node.name, box, source.buffer, source.place(port, outLayout));
  }
}

/** The byte of a pad value, not rounded. */
export function padByte(format: QuantFormat, value: number): number {
  return value / format.scale[0]! + format.zero[0]!;
}

/** Bytes can be padded with values of their grid only. */
export function padRefusal(format: QuantFormat, value: number): string | undefined {
  const byte = padByte(format, value);
  const nearest = Math.round(byte);
  const isOnGrid = Math.abs(byte - nearest) <= gridTolerance && nearest >= format.low && nearest <= format.high;
  return isOnGrid ? undefined : `its pad value ${Number(value.toPrecision(6))} is not on the grid of its input`;
}

/** Copies of the inputs that are not in the joint memory yet. */
export function lowerConcat(node: Node, context: LowerContext, axis: number): void {
  const out = node.output.fact.shape;
  const joint = context.joint(node);
  const outStrides = memoryStrides(out, joint.layout);
  let at = 0;
  for (const [i, input] of node.inputs.entries()) {
    const { shape } = input.source!.fact;
    if (!joint.isWritten[i]) {
      const buffer = context.quantized(node, i, joint.layout)?.buffer ?? context.elements(node, i, joint.layout);
      const box = {
        dims: shape,
        inStrides: memoryStrides(shape, joint.layout),
        outStrides,
        inOffset: 0,
        outOffset: at * outStrides[axis]!,
      };
      emitCopy(context.builder, node.name, box, buffer, joint.buffer);
    }
    at += shape[axis]!;
  }
}
