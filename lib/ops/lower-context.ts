// What an operation sees while it emits kernel calls.
import type { Node, OutputPort } from '../graph/node.ts';
import type { ProgramBuilder } from '../program/builder.ts';
import type { BufferId, ProgramType } from '../program/program.ts';

/** Order of a value's elements in memory: the model's own row-major order, or [N, spatial…, C]. */
export type Layout = 'plain' | 'channelsLast';

/**
 * How a value is stored as unsigned bytes: `real = scale · (q − zero)`, `low <= q <= high`.
 * One scale and zero for the tensor, or one for each index of axis 1.
 */
export interface QuantFormat {
  readonly scale: Float32Array;
  /** Where real 0 lies on the grid. Limits rounded to half precision put it a little beside an integer. */
  readonly zero: Float32Array;
  /** The byte nearest to `zero`: it stands for padding. */
  readonly zeroPoint: Uint8Array;
  /** Ends of the integer grid: 0 and 255 for 256 levels. */
  readonly low: number;
  readonly high: number;
  /** What rounds to the bytes, where a quantizer gives them another meaning than what it rounded. */
  readonly rounding?: Rounding;
}

/** `q = round(real / scale + zero)`, for the tensor or for each index of axis 1. */
export interface Rounding {
  readonly scale: Float32Array;
  /** Not always on the grid. */
  readonly zero: Float32Array;
}

/** Where a result goes. Pixels (or rows) are `stride` elements apart and start at `offset`. */
export interface Placement {
  readonly buffer: BufferId;
  readonly stride: number;
  readonly offset: number;
}

/** A value stored as bytes. Neighbouring pixels are `stride` elements apart. */
export interface QuantizedValue {
  readonly buffer: BufferId;
  readonly stride: number;
  readonly format: QuantFormat;
}

/** A value through strides, in elements of its memory: element i is at `offset + Σ i[axis] · strides[axis]`. */
export interface StridedView {
  readonly type: ProgramType;
  readonly buffer: BufferId;
  readonly offset: number;
  /** One for each axis of the value; 0 repeats. */
  readonly strides: readonly number[];
  /** Set when the elements are bytes. */
  readonly format?: QuantFormat;
}

/** The kernel of a product and the geometry of its call; strides, offsets, zero points and epilogue are filled in. */
export interface KernelCall {
  readonly kernel: 'convolution' | 'depthwise' | 'matmul' | 'transposed_convolution' | 'winograd_convolution';
  readonly params: Readonly<Record<string, number>>;
}

/** A product with constant weights, for {@link LowerContext.multiplyAccumulate}. */
export interface MultiplyAccumulate extends KernelCall {
  /** The call for a product of floats, where that is another one. */
  readonly onFloats?: KernelCall;
  /** Output channels. */
  readonly channels: number;
  /** Input channels: elements of a pixel or row of the input. */
  readonly inputChannels: number;
  readonly layout: Layout;
  /** The kernel takes `inZeroOffset`, how far real zero lies above the byte that stands for padding. */
  readonly takesZeroOffset?: boolean;
}

/** What a kernel stores instead of its node's own output. */
export interface Tail {
  /** The port whose value the kernel writes. */
  readonly port: OutputPort;
  /** Clamp in front of the store, ±Infinity when there is none. */
  readonly low: number;
  readonly high: number;
  /** Set when bytes are stored. */
  readonly format?: QuantFormat;
  /** Factors and summands for each channel in front of it. */
  readonly scale?: Float32Array;
  readonly bias?: Float32Array;
  /** Another port, whose bytes are stored beside the floats. */
  readonly beside?: { readonly port: OutputPort; readonly format: QuantFormat };
}

/** Where a Concat's result is put together, and which inputs are there already. */
export interface Joint {
  readonly buffer: BufferId;
  readonly layout: Layout;
  readonly isWritten: readonly boolean[];
}

/**
 * What an operation sees while it emits kernel calls. It asks for its inputs in the form that it can use, and says where
 * its result is; conversions between forms are emitted when they are asked for, once.
 */
export interface LowerContext {
  readonly builder: ProgramBuilder;
  /** The input as dense floats. */
  float(node: Node, input: number, layout: Layout): BufferId;
  /** The input as dense elements of its own type in the model: floats, whole numbers or booleans. */
  elements(node: Node, input: number, layout: Layout): BufferId;
  /** The input as bytes when the node was planned to run on bytes, else undefined. Bytes are dense unless `strided`. */
  quantized(node: Node, input: number, layout: Layout, options?: { strided?: boolean }): QuantizedValue | undefined;
  /** The input wherever it is: as bytes when the node was planned to run on bytes, else in its own type. */
  view(node: Node, input: number): StridedView;
  /** The output is a part of memory that exists; it is copied only for readers that need it dense. */
  defineView(port: OutputPort, view: StridedView): void;
  /** True when a node reads the value, or it is returned. */
  isRead(port: OutputPort): boolean;
  /** True when all readers of the value take it in the model's order. */
  isReadPlain(port: OutputPort): boolean;
  /** The layout in which the input exists already; `channelsLast` wins when both do. */
  layoutOf(node: Node, input: number): Layout;
  /** What the node's kernel stores: its own output, or the end of what could be fused behind it. */
  tail(node: Node): Tail;
  /** The format in which a FakeQuantize stores bytes, undefined when it only rounds floats. */
  storedFormat(node: Node): QuantFormat | undefined;
  /** Memory for a float result; `strided` when the kernel can write pixels apart, so that a Concat need not copy. */
  placeFloat(port: OutputPort, layout: Layout, options?: { strided?: boolean }): Placement;
  /** Memory for a result in the port's own type. */
  place(port: OutputPort, layout: Layout): BufferId;
  /** Memory for bytes; `pixel` is the least number of elements that a pixel takes. */
  placeQuantized(
    port: OutputPort,
    layout: Layout,
    format: QuantFormat,
    options?: { strided?: boolean; pixel?: number },
  ): Placement;
  /** The memory of an input, as floats or in its own type, in one layout as an output in another: no call is emitted. */
  alias(port: OutputPort, node: Node, input: number, layouts: { from: Layout; to: Layout }): void;
  /** The memory of a Concat's result; defines the result. */
  joint(node: Node): Joint;
  /** Emits a convolution, depthwise convolution or matrix product with everything that is fused behind it. */
  multiplyAccumulate(node: Node, product: MultiplyAccumulate): void;
  /** Emits the product of two computed matrices with everything that is fused behind it. */
  multiplyComputed(node: Node, transposes: { readonly a: boolean; readonly b: boolean }): void;
}
