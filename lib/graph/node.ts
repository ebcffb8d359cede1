// Nodes, their ports, and what is known of the values that flow through them.
import type { ElementType } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What is known about the value of an output port without running the model. */
export interface Fact {
  readonly type: ElementType;
  /** -1 marks a dynamic dimension; `unknownRank` when not even their number is known. */
  readonly shape: Shape;
  /** The value itself, when it does not depend on any input. */
  readonly value?: Tensor;
}

/** An input of a node; `source` is undefined for an absent optional input. */
export class InputPort {
  readonly node: Node;
  readonly index: number;
  /** Written by `edit.ts` only. */
  source: OutputPort | undefined;

  constructor(node: Node, index: number) {
    this.node = node;
    this.index = index;
  }
}

/** An output of a node: what flows along edges. */
export class OutputPort {
  readonly node: Node;
  readonly index: number;
  /** Written by `edit.ts` and by shape inference only. */
  fact: Fact;
  /** Tensor names, as models call the value itself; unique in a model. */
  names: readonly string[];
  readonly consumers = new Set<InputPort>();

  constructor(node: Node, index: number, fact: Fact, names: readonly string[] = []) {
    this.node = node;
    this.index = index;
    this.fact = fact;
    this.names = names;
  }
}

/** Text of a file format that has no meaning here and is written back as it was. */
export interface FormatNotes {
  /** `version` attribute of an IR layer (`opset1`, …) or the ONNX domain. */
  readonly opset?: string;
  /** `<rt_info>` attributes of an IR layer, in their order. */
  readonly rtInfo?: readonly Readonly<Record<string, string>>[];
  /** `<rt_info>` attributes of output ports, by output index. */
  readonly portRtInfo?: Readonly<Record<number, readonly Readonly<Record<string, string>>[]>>;
  /** `<rt_info>` attributes of input ports, by input index. */
  readonly inputRtInfo?: Readonly<Record<number, readonly Readonly<Record<string, string>>[]>>;
  /** On a `Constant` of f32: the type in which the file holds it, behind a Convert that turns it back. */
  readonly storedAs?: 'f16' | 'bf16';
  /** Attributes that the operation does not know. */
  readonly unknownAttributes?: Readonly<Record<string, string>>;
}

/** One operation of a model. Changed only through `edit.ts`. */
export class Node {
  readonly id: number;
  /** Unique in its model. */
  name: string;
  /** Operation type in OpenVINO spelling, for example `GroupConvolution`. */
  readonly type: string;
  /** Parsed by the operation's own schema; a `Constant` holds `{ value: Tensor }`. */
  attributes: Readonly<Record<string, unknown>>;
  readonly inputs: InputPort[] = [];
  readonly outputs: OutputPort[] = [];
  notes: FormatNotes;

  constructor(
    id: number,
    name: string,
    type: string,
    attributes: Readonly<Record<string, unknown>>,
    notes: FormatNotes,
  ) {
    this.id = id;
    this.name = name;
    this.type = type;
    this.attributes = attributes;
    this.notes = notes;
  }

  /** The producer of input `index`, undefined when absent. */
  source(index: number): OutputPort | undefined {
    return this.inputs[index]?.source;
  }

  /** The only output, for the many operations that have one. */
  get output(): OutputPort {
    return this.outputs[0]!;
  }
}

/** The value of a port that is known at compile time, undefined otherwise. */
export function constantOf(port: OutputPort | undefined): Tensor | undefined {
  return port?.fact.value;
}
