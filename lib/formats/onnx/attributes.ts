/** Attributes of one ONNX node, read by name and kind, with every wrong form refused. */
import { LowpError } from '../../errors/lowp-error.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type AttributeKind, attributeKinds } from './data-types.ts';
import type { AttributeProto, GraphProto, NodeProto } from './onnx_pb.ts';
import { readTensor } from './tensor-proto.ts';

/**
 * Reads the attributes of a node. Every getter returns undefined for an absent attribute and throws
 * `ERR_OP_ATTRIBUTE` for one of another kind.
 */
export class Attributes {
  readonly #node: string;
  readonly #path: string | undefined;
  readonly #byName = new Map<string, AttributeProto>();

  constructor(proto: NodeProto, node: string, path: string | undefined) {
    this.#node = node;
    this.#path = path;
    for (const attribute of proto.attribute) {
      if (this.#byName.has(attribute.name)) this.fail(attribute.name, 'is given twice');
      this.#byName.set(attribute.name, attribute);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  float(name: string): number | undefined {
    const attribute = this.#get(name, 'float');
    return attribute && (attribute.f ?? 0);
  }

  /** A 64-bit integer; values beyond 2^53 lose precision. */
  int(name: string): number | undefined {
    const attribute = this.#get(name, 'int');
    return attribute && Number(attribute.i ?? 0n);
  }

  /** An integer that stands for a truth value. */
  flag(name: string, otherwise = false): boolean {
    const value = this.int(name) ?? Number(otherwise);
    if (value !== 0 && value !== 1) this.fail(name, `is ${value}, expected 0 or 1`);
    return value === 1;
  }

  string(name: string): string | undefined {
    const attribute = this.#get(name, 'string');
    return attribute && new TextDecoder().decode(attribute.s ?? new Uint8Array(0));
  }

  strings(name: string): string[] | undefined {
    return this.#get(name, 'strings')?.strings.map((s) => new TextDecoder().decode(s));
  }

  /** One of the listed spellings. */
  choice<T extends string>(name: string, values: readonly T[], otherwise: T): T {
    const text = this.string(name);
    if (text === undefined) return otherwise;
    const found = values.find((v) => v === text);
    return found ?? this.fail(name, `is ${JSON.stringify(text)}, expected ${values.join(', ')}`);
  }

  ints(name: string): number[] | undefined {
    return this.#get(name, 'ints')?.ints.map(Number);
  }

  floats(name: string): number[] | undefined {
    return this.#get(name, 'floats')?.floats;
  }

  tensor(name: string): Tensor | undefined {
    const attribute = this.#get(name, 'tensor');
    if (!attribute) return undefined;
    if (!attribute.t) this.fail(name, 'has no tensor');
    return attribute.t && readTensor(attribute.t, this.#path, `${this.#node}.${name}`);
  }

  /** A body. */
  graph(name: string): GraphProto {
    const attribute = this.#get(name, 'graph') ?? this.fail(name, 'is missing');
    return attribute.g ?? this.fail(name, 'has no graph');
  }

  /** All attributes as plain values, by name. */
  values(): Record<string, unknown> {
    return Object.fromEntries([...this.#byName].map(([name, { type }]) => [name, this.#value(name, type)]));
  }

  #value(name: string, type: number): unknown {
    const kinds = attributeKinds;
    switch (type) {
      case kinds.float:
        return this.float(name);
      case kinds.int:
        return this.int(name);
      case kinds.string:
        return this.string(name);
      case kinds.tensor:
        return this.tensor(name);
      case kinds.floats:
        return this.floats(name);
      case kinds.ints:
        return this.ints(name);
      case kinds.strings:
        return this.strings(name);
      default:
        return this.fail(name, `has kind ${type}; numbers, strings, tensors and lists are read`);
    }
  }

  /** @throws {LowpError} `ERR_OP_ATTRIBUTE`, always */
  fail(name: string, text: string): never {
    throw new LowpError('ERR_OP_ATTRIBUTE', `node '${this.#node}': attribute '${name}' ${text}`, { node: this.#node });
  }

  #get(name: string, kind: AttributeKind): AttributeProto | undefined {
    const attribute = this.#byName.get(name);
    if (!attribute) return undefined;
    if (attribute.type !== attributeKinds[kind]) this.fail(name, `has kind ${attribute.type}, expected ${kind}`);
    return attribute;
  }
}
