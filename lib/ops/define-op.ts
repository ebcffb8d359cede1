// Everything that an operation declares about itself.
import type { ZodType } from 'zod';
import type { Fact, Node, OutputPort } from '../graph/node.ts';
import type { SubGraph } from '../graph/sub-graph.ts';
import type { ElementType } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Expansion } from './expansion.ts';
import type { LowerContext, QuantFormat } from './lower-context.ts';

/** What an operation may become inside the epilogue of the operation before it, in the order of the data flow. */
export type PostOp =
  /** x + values[c], per channel of axis 1 (or the last axis of a matrix product); `other` holds the values. */
  | { readonly kind: 'bias'; readonly values: Float32Array; readonly other: OutputPort }
  /** x · values[c], per channel as in `bias`, or x · values[0]. */
  | { readonly kind: 'scale'; readonly values: Float32Array }
  /** min(max(x, low), high). */
  | { readonly kind: 'clamp'; readonly low: number; readonly high: number }
  /** x + other, computed and of the same shape; with `broadcast`, of the last axis of x and perhaps constant. */
  | { readonly kind: 'add'; readonly other: OutputPort; readonly broadcast?: true };

/** What quantization needs to know about an operation; nothing outside its file knows it by name. */
export interface QuantTraits {
  /** Input ports whose activations are quantized: a list, or every connected one. Absent: none. */
  readonly quantizedPorts?: readonly number[] | 'all';
  /** The weights: their input port, and the axis of output channels in their shape. */
  readonly weights?: {
    readonly port: number;
    outputChannelAxis(a: never, weights: Shape): number;
    /** The axis of the weights that runs along all of axis 1 of input 0, when there is one. */
    readonly inputChannelAxis?: number;
  };
  /** Axis of the output channels in the output: where a bias is added. Negative counts from the end. */
  readonly biasAxis?: number;
  /**
   * A quantizer behind this operation may move in front of it, because the operation only moves or selects values:
   * to input 0, to all inputs, or to all inputs that are not constant.
   */
  readonly ascend?: 'first' | 'all' | 'nonConstant';
  /** It may leave out most of input 0: a quantizer only moves in front of it when all readers of that value are quantized. */
  readonly selects?: true;
  /** All inputs share one scale when the operation stays between quantized ones (Concat). */
  readonly unifiesScales?: boolean;
  /** Row of the target's table, when it is not the operation type itself. */
  hardwareType?(node: Node): string;
}

/** Element types by port: one list for each, the last one for all that follow. */
export interface PortTypes {
  readonly inputs: readonly (readonly ElementType[])[];
  readonly outputs: readonly (readonly ElementType[])[];
}

/** What the native runtime needs to know about an operation. */
export interface RuntimeTraits {
  /**
   * How it runs on bytes. `product`: input 0 in bytes times constant 8-bit weights at input 1. `combine`: all inputs in
   * bytes, each with its own scale. `multiply`: as `combine`, with real 0 on each grid. `move`: bytes pass unchanged, the
   * output has the format of the inputs. `never`.
   */
  readonly bytes: 'product' | 'multiply' | 'combine' | 'move' | 'never';
  /** `move`: the inputs whose bytes pass; absent: input 0, or all that a quantizer ascends to. */
  readonly byteInputs?: readonly number[];
  /** Accepts one scale for each channel of axis 1. */
  readonly perChannel?: boolean | ((node: Node) => boolean);
  /** Why a node cannot run on bytes of the format of its first input; undefined when it can. */
  refuses?(node: Node, format: QuantFormat): string | undefined;
  /** Element types that it takes and gives; absent: f32 only. */
  readonly types?: PortTypes;
  /** What may be fused in front of the store, by the names of `lowering/epilogue-grammar.ts`. */
  readonly epilogue: 'product' | 'multiply' | 'normalize' | 'clamp' | 'round' | 'affine' | 'store' | 'none';
  /** Its results are floats, but it can store them rounded to bytes. */
  readonly storesBytes?: boolean;
  /** It can store bytes beside its floats, when a quantizer is not the only reader. */
  readonly storesBoth?: boolean;
  /** Axis of `bias` and `scale` steps when it is not the bias axis of its quantization. Negative counts from the end. */
  readonly channelAxis?: number;
  /** It can write pixels apart without an epilogue: straight into the memory of a Concat along the channels. */
  readonly storesApart?: boolean;
  /** It reads its inputs in the model's order. */
  readonly readsPlain?: boolean;
  /** The input axis of each output axis, when it does nothing but permute them. */
  permutes?(node: Node): readonly number[] | undefined;
  /** The axis along which it puts its inputs side by side (Concat). */
  joins?(node: Node): number;
}

/** The complete declaration of one operation; adding one adds it everywhere. */
export interface OpDef<A = Readonly<Record<string, unknown>>> {
  /** OpenVINO type name. */
  readonly type: string;
  /** The first opset that has this revision: `opset1`. Written as the IR layer's `version`. */
  readonly opset: string;
  /** Parses attributes from IR strings and from plain values alike, and fills defaults. Unknown keys are stripped. */
  readonly attributes: ZodType<A>;
  /** Number of inputs, optional ones included: [least, most]. */
  readonly inputs: readonly [number, number];
  /** Takes tensors of strings; inference refuses them for any other operation. */
  readonly strings?: true;
  /**
   * Types and shapes of the outputs; dynamic dimensions pass through as -1.
   *
   * @throws {LowpError} `ERR_SHAPE_*`, `ERR_TYPE_*`, `ERR_OP_*` when the inputs do not fit
   */
  infer(a: A, inputs: readonly (Fact | undefined)[]): Fact[];
  /**
   * Why a node that was made for inputs like `before` would compute something else for inputs like `after`, although they
   * fit: a constant that stands for a batch of its own. Asked when inputs of the model get other shapes.
   */
  refusesShapes?(
    a: NoInfer<A>,
    before: readonly (Fact | undefined)[],
    after: readonly (Fact | undefined)[],
  ): string | undefined;
  /** Reference evaluation with double accumulation. Outputs have the types and shapes that `infer` states. */
  evaluate?(a: A, inputs: readonly Tensor[], optional?: readonly (Tensor | undefined)[]): Tensor[];
  /** Reads or writes a variable or draws random numbers: never folded into a constant. */
  readonly stateful?: boolean;
  /** Runs its bodies; present beside `evaluate` for operations that have bodies. */
  control?(a: NoInfer<A>, inputs: readonly (Tensor | undefined)[]): Control;
  /** Reads or writes a variable: the engines keep its value between runs. Implies `stateful`. */
  readonly variable?: { readonly access: 'read' | 'write'; name(a: A): string };
  /** Emits kernel calls; absent: the operation is evaluated on the host. */
  lower?(a: NoInfer<A>, node: Node, context: LowerContext): void;
  /** False for the forms of the operation that `lower` cannot emit; absent: it can emit every form. */
  canLower?(a: NoInfer<A>, node: Node): boolean;
  /**
   * The same computation as other operations that have kernels: the ports that take the place of the outputs, in their
   * order; undefined for forms that stay as they are. Applied before a model is executed.
   */
  expand?(a: NoInfer<A>, node: Node, expansion: Expansion): readonly OutputPort[] | undefined;
  /** Among what it expands to are operations that no file can hold: writers of models do not expand it. */
  readonly expandsToOwn?: true;
  /** What may be fused behind it and how it runs on bytes; absent: nothing, and on floats only. */
  readonly runtime?: RuntimeTraits | ((node: Node) => RuntimeTraits);
  /** The ways in which it may run on bytes, when they depend on the node. */
  readonly bytesModes?: readonly RuntimeTraits['bytes'][];
  /** What the operation is as part of the epilogue of `owner`, which produces its input `port` or what leads to it. */
  asPostOp?(a: A, node: Node, port: number, owner: Node): PostOp | undefined;
  readonly quantization?: QuantTraits;
  readonly ir?: {
    /** Attributes for the IR; by default each one is printed under its own name. */
    write?(a: A): Record<string, string>;
    /** The elements of a layer that hold its bodies, by attribute: each is a `SubGraph`. */
    readonly subGraphs?: Readonly<Record<string, SubGraphElements>>;
  };
}

/** Names of the elements of an IR layer that make up one body. */
export interface SubGraphElements {
  readonly body: string;
  readonly portMap: string;
  readonly backEdges?: string;
}

/** A request of a {@link Control} to run a body once: tensors for its parameters, in their order. */
export interface BodyCall {
  readonly subGraph: SubGraph;
  readonly feeds: readonly Tensor[];
}

/** Control flow: yields calls of bodies, is resumed with the values of their results, and returns the outputs. */
export type Control = Generator<BodyCall, Tensor[], readonly Tensor[]>;

/** Checks a definition's types and hides its attribute type from the registry. */
export function defineOp<A>(definition: OpDef<A>): OpDef {
  return definition as unknown as OpDef;
}
