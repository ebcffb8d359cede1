/** Import of a node some of whose inputs have an unknown rank: it is read for each rank, and all must read alike. */
import { removeNode } from '../../../graph/edit.ts';
import type { Model } from '../../../graph/model.ts';
import type { Node, OutputPort } from '../../../graph/node.ts';
import { agreedRanks, withRanks } from '../../../ops/any-rank.ts';
import { inferFacts } from '../../../ops/create-node.ts';
import { getOp } from '../../../ops/registry.ts';
import { hasRank } from '../../../tensor/shape.ts';
import { contentText } from '../../../util/content-text.ts';
import type { ImportState, PortNotes } from './import-node.ts';
import { portsOf, type Value } from './values.ts';

/** Adds the operations of a node to the model of the state; returns its outputs. */
type Read = (state: ImportState) => readonly (Value | undefined)[];

/**
 * What `read` adds, for inputs some of which have an unknown rank: the operations that it adds for all ranks alike.
 *
 * @throws {LowpError} as {@link agreedRanks}
 */
export function readForAnyRank(
  name: string,
  state: ImportState,
  inputs: readonly (Value | undefined)[],
  read: Read,
): readonly (Value | undefined)[] {
  const ports = inputs.flatMap((value) => (value ? portsOf(value) : []));
  const open = [...new Set(ports)].filter((port) => !hasRank(port.fact.shape));
  if (open.length === 0) return read(state);
  const ranks = agreedRanks(name, open.length, (tried) => textOf(state, open, tried, read));
  const { model } = state;
  const begin = model.nextId;
  const values = withRanks(open, ranks, () => read(state));
  for (const node of nodesSince(model, begin)) inferAgain(node);
  return values;
}

/** Reads for these ranks, takes the operations away again and returns what they were as text. */
function textOf(state: ImportState, open: readonly OutputPort[], ranks: readonly number[], read: Read): string {
  const { model } = state;
  const begin = model.nextId;
  // What is noted of values that disappear must disappear with them.
  const own: ImportState = {
    ...state,
    quantized: new Overlay(state.quantized, (value) => ({ ...value })),
    grids: new Overlay(state.grids),
    reals: new Overlay(state.reals),
  };
  try {
    const values = withRanks(open, ranks, () => read(own));
    const ports = values.map((value) => value && portsOf(value).map((port) => reference(port, begin)));
    return [...nodesSince(model, begin).map((node) => describeNode(node, begin)), JSON.stringify(ports)].join('\n');
  } finally {
    for (const node of nodesSince(model, begin).toReversed()) removeNode(model, node);
  }
}

/** Notes over those of the model, which stay as they are: one that is read is copied before it can change. */
class Overlay<V> implements PortNotes<V> {
  readonly #own = new Map<OutputPort, V>();
  readonly #below: PortNotes<V>;
  readonly #copy: (value: V) => V;

  constructor(below: PortNotes<V>, copy: (value: V) => V = (value) => value) {
    this.#below = below;
    this.#copy = copy;
  }

  get(port: OutputPort): V | undefined {
    const own = this.#own.get(port);
    if (own !== undefined) return own;
    const below = this.#below.get(port);
    if (below === undefined) return undefined;
    const copy = this.#copy(below);
    this.#own.set(port, copy);
    return copy;
  }

  set(port: OutputPort, value: V): void {
    this.#own.set(port, value);
  }
}

function nodesSince(model: Model, begin: number): Node[] {
  const nodes: Node[] = [];
  for (let id = begin; id < model.nextId; id++) {
    const node = model.nodeById.get(id);
    if (node) nodes.push(node);
  }
  return nodes;
}

function describeNode(node: Node, begin: number): string {
  const inputs = node.inputs.map((i) => i.source && reference(i.source, begin));
  return contentText([node.type, node.notes, node.attributes, inputs]);
}

function reference({ node, index }: OutputPort, begin: number): string {
  return node.id < begin ? `${node.id}.${index}` : `+${node.id - begin}.${index}`;
}

function inferAgain(node: Node): void {
  const inputs = node.inputs.map((i) => i.source?.fact);
  const facts = inferFacts(getOp(node.type, node.notes.opset, node.name), node.attributes, inputs, node.name);
  for (const [i, port] of node.outputs.entries()) port.fact = facts[i] ?? port.fact;
}
