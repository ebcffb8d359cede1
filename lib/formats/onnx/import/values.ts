/** Values of ONNX that are not tensors: sequences of known length and optionals, as the reader holds them. */
import { OutputPort } from '../../../graph/node.ts';

/** What an ONNX value is in the model: a port, or several in a structure that is known while the file is read. */
export type Value = OutputPort | SequenceValue | OptionalValue;

/** Tensors or other values one behind the other. */
export class SequenceValue {
  readonly elements: readonly Value[];

  constructor(elements: readonly Value[]) {
    this.elements = elements;
  }
}

/** A value that may be absent; whether it is absent is known. */
export class OptionalValue {
  readonly content: Value | undefined;

  constructor(content: Value | undefined) {
    this.content = content;
  }
}

/** All ports of a value, in order. */
export function portsOf(value: Value): OutputPort[] {
  if (value instanceof OutputPort) return [value];
  if (value instanceof SequenceValue) return value.elements.flatMap(portsOf);
  return value.content ? portsOf(value.content) : [];
}

/** The same structure with other ports in it. */
export function mapPorts(value: Value, change: (port: OutputPort) => OutputPort): Value {
  if (value instanceof OutputPort) return change(value);
  if (value instanceof SequenceValue) return new SequenceValue(value.elements.map((e) => mapPorts(e, change)));
  return new OptionalValue(value.content && mapPorts(value.content, change));
}

/** What a value is made of, in words; equal for values of the same structure. */
export function describe(value: Value): string {
  if (value instanceof OutputPort) return 'a tensor';
  if (value instanceof OptionalValue) return value.content ? `an optional of ${describe(value.content)}` : 'nothing';
  const kinds = [...new Set(value.elements.map(describe))];
  return `a sequence of ${value.elements.length}${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}`;
}

export function isTensor(value: Value | undefined): value is OutputPort {
  return value instanceof OutputPort;
}

/** The same structures with these ports in place of their own, in order. */
export function withPorts(values: readonly Value[], ports: readonly OutputPort[]): Value[] {
  let next = 0;
  return values.map((value) => mapPorts(value, (own) => ports[next++] ?? own));
}
