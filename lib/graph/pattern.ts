// Small graphs with holes, matched backwards from a node: what rewriting rules look for.
import { invariant } from '../errors/assert.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Node, OutputPort } from './node.ts';

/** What a port must look like. Made by {@link op}, {@link constant}, {@link any} and {@link optional}. */
export class Pattern {
  readonly #match: (port: OutputPort, found: Map<string, OutputPort>) => boolean;
  readonly #name: string | undefined;

  constructor(match: (port: OutputPort, found: Map<string, OutputPort>) => boolean, name?: string) {
    this.#match = match;
    this.#name = name;
  }

  /** The same pattern; what it matches is found under `name`. One name twice means the same port. */
  as(name: string): Pattern {
    return new Pattern(this.#match, name);
  }

  /** The same pattern with a condition on the producer. */
  where(condition: (node: Node, port: OutputPort) => boolean): Pattern {
    return new Pattern((port, found) => condition(port.node, port) && this.#match(port, found), this.#name);
  }

  /** The same pattern for a port that only one input reads. */
  single(): Pattern {
    return new Pattern((port, found) => port.consumers.size === 1 && this.#match(port, found), this.#name);
  }

  /** Records named ports in `found`, which is left in an undefined state when nothing matches. */
  matches(port: OutputPort, found: Map<string, OutputPort>): boolean {
    if (!this.#match(port, found)) return false;
    if (this.#name === undefined) return true;
    const earlier = found.get(this.#name);
    found.set(this.#name, port);
    return earlier === undefined || earlier === port;
  }
}

/** Named parts of the model that fit a pattern. */
export class Match {
  /** The node from which the pattern was matched. */
  readonly root: Node;
  readonly #found: ReadonlyMap<string, OutputPort>;

  constructor(root: Node, found: ReadonlyMap<string, OutputPort>) {
    this.root = root;
    this.#found = found;
  }

  /** What the pattern named `name` matched. */
  port(name: string): OutputPort {
    const port = this.#found.get(name);
    invariant(port, `the pattern has no part named ${name}`);
    return port;
  }

  /** The producer of that port. */
  node(name: string): Node {
    return this.port(name).node;
  }

  /** The value of that port, which {@link constant} has matched. */
  value(name: string): Tensor {
    const value = this.port(name).fact.value;
    invariant(value, `the part named ${name} is not constant`);
    return value;
  }

  /** True when an optional part was there. */
  has(name: string): boolean {
    return this.#found.has(name);
  }
}

/**
 * An operation of one of the types, whose inputs match in order; inputs behind the given ones may be anything.
 * Without input patterns all inputs may be anything.
 */
export function op(types: string | readonly string[], ...inputs: readonly Pattern[]): Pattern {
  const wanted = new Set(typeof types === 'string' ? [types] : types);
  return new Pattern((port, found) => wanted.has(port.node.type) && matchInputs(port.node, inputs, found));
}

/** Like {@link op} for an operation with two inputs whose order does not matter. */
export function commutative(types: string | readonly string[], a: Pattern, b: Pattern): Pattern {
  const wanted = new Set(typeof types === 'string' ? [types] : types);
  return new Pattern((port, found) => {
    if (!wanted.has(port.node.type)) return false;
    const attempt = new Map(found);
    if (matchInputs(port.node, [a, b], attempt)) {
      for (const [name, part] of attempt) found.set(name, part);
      return true;
    }
    return matchInputs(port.node, [b, a], found);
  });
}

/** A `Constant`. */
export function constant(): Pattern {
  return new Pattern((port) => port.node.type === 'Constant' && port.fact.value !== undefined);
}

/** Anything. */
export function any(): Pattern {
  return new Pattern(() => true);
}

/** An operation of that type on `input`, or `input` without it. */
export function optional(type: string, input: Pattern, name?: string): Pattern {
  const present = name === undefined ? op(type, input) : op(type, input).as(name);
  return new Pattern((port, found) => {
    const attempt = new Map(found);
    if (!present.matches(port, attempt)) return input.matches(port, found);
    for (const [key, part] of attempt) found.set(key, part);
    return true;
  });
}

/** Matches a pattern with the first output of `node`. */
export function matchNode(pattern: Pattern, node: Node): Match | undefined {
  const port = node.outputs[0];
  if (!port) return undefined;
  const found = new Map<string, OutputPort>();
  return pattern.matches(port, found) ? new Match(node, found) : undefined;
}

function matchInputs(node: Node, patterns: readonly Pattern[], found: Map<string, OutputPort>): boolean {
  for (const [i, pattern] of patterns.entries()) {
    const source = node.source(i);
    if (!source || !pattern.matches(source, found)) return false;
  }
  return true;
}
