// The only way to change a model.
import { invariant } from '../errors/assert.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { noteEdit } from './edit-count.ts';
import type { Model } from './model.ts';
import { type Fact, type FormatNotes, InputPort, Node, OutputPort } from './node.ts';

/** What a new node is made of. */
export interface NodeSpec {
  readonly type: string;
  /** Made unique when it is taken. */
  readonly name: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly inputs?: readonly (OutputPort | undefined)[];
  /** One fact per output. */
  readonly outputs: readonly Fact[];
  readonly names?: readonly (readonly string[])[];
  readonly notes?: FormatNotes;
}

/** Adds a node. `Parameter` and `Result` nodes are appended to the model's inputs and outputs. */
export function addNode(model: Model, spec: NodeSpec): Node {
  noteEdit();
  const node = new Node(
    model.nextId++,
    uniqueName(model, spec.name, spec.type),
    spec.type,
    spec.attributes ?? {},
    spec.notes ?? {},
  );
  for (const [i, fact] of spec.outputs.entries()) node.outputs.push(new OutputPort(node, i, fact, spec.names?.[i]));
  for (const [i, source] of (spec.inputs ?? []).entries()) {
    const input = new InputPort(node, i);
    node.inputs.push(input);
    if (source) connect(input, source);
  }
  model.nodeById.set(node.id, node);
  namesOf(model).add(node.name);
  if (node.type === 'Parameter') model.parameterList.push(node);
  if (node.type === 'Result') model.resultList.push(node);
  return node;
}

/** Adds a `Constant` that holds `value`. */
export function addConstant(model: Model, name: string, value: Tensor, notes?: FormatNotes): Node {
  const fact: Fact = { type: value.type, shape: value.shape, value };
  return addNode(model, {
    type: 'Constant',
    name,
    attributes: { value },
    outputs: [fact],
    ...(notes ? { notes } : {}),
  });
}

/** Makes `input` read from `source`, instead of what it read before. */
export function connect(input: InputPort, source: OutputPort): void {
  noteEdit();
  input.source?.consumers.delete(input);
  input.source = source;
  source.consumers.add(input);
}

/** Moves all consumers of `from` to `to`; with `names`, the tensor names move too. */
export function replaceOutput(from: OutputPort, to: OutputPort, options: { names?: boolean } = {}): void {
  for (const input of [...from.consumers]) if (input.node !== to.node) connect(input, to);
  if (options.names && from.names.length > 0) {
    to.names = [...new Set([...to.names, ...from.names])];
    from.names = [];
  }
}

/** Puts a one-input node between `source` and the consumers of it that `which` accepts. */
export function insertAfter(
  model: Model,
  source: OutputPort,
  spec: Omit<NodeSpec, 'inputs'> & { extraInputs?: readonly OutputPort[] },
  which: (consumer: InputPort) => boolean = () => true,
): Node {
  const consumers = [...source.consumers].filter(which);
  const node = addNode(model, { ...spec, inputs: [source, ...(spec.extraInputs ?? [])] });
  for (const input of consumers) connect(input, node.output);
  return node;
}

/** Changes the value of a `Constant`. */
export function setConstant(node: Node, value: Tensor): void {
  invariant(node.type === 'Constant', `${node.name} is a ${node.type}, not a Constant`);
  noteEdit();
  node.attributes = { value };
  node.output.fact = { type: value.type, shape: value.shape, value };
}

/** Changes the value of the `Constant` that `input` reads; in a copy of it, when others read it too. */
export function giveConstant(model: Model, input: InputPort, value: Tensor): void {
  const stored = input.source!.node;
  if (stored.output.consumers.size === 1) setConstant(stored, value);
  else connect(input, addConstant(model, stored.name, value, stored.notes).output);
}

export function setAttributes(node: Node, attributes: Readonly<Record<string, unknown>>): void {
  noteEdit();
  node.attributes = attributes;
}

/** Removes a node whose outputs nobody reads. */
export function removeNode(model: Model, node: Node): void {
  for (const out of node.outputs) invariant(out.consumers.size === 0, `${node.name} is still read by others`);
  noteEdit();
  for (const input of node.inputs) input.source?.consumers.delete(input);
  model.nodeById.delete(node.id);
  namesOf(model).delete(node.name);
  for (const list of [model.parameterList, model.resultList]) {
    const at = list.indexOf(node);
    if (at >= 0) list.splice(at, 1);
  }
}

/** Removes every node that no `Result`, `Parameter` or sink needs. Returns how many. */
export function removeDead(model: Model, isSink: (node: Node) => boolean = () => false): number {
  const live = new Set<Node>();
  const stack = [...model.nodeById.values()].filter((n) => n.type === 'Result' || n.type === 'Parameter' || isSink(n));
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (live.has(node)) continue;
    live.add(node);
    for (const input of node.inputs) if (input.source) stack.push(input.source.node);
  }
  const dead = [...model.nodeById.values()].filter((n) => !live.has(n));
  if (dead.length > 0) noteEdit();
  for (const node of dead) for (const input of node.inputs) input.source?.consumers.delete(input);
  for (const node of dead) {
    model.nodeById.delete(node.id);
    namesOf(model).delete(node.name);
  }
  return dead.length;
}

/** Gives a node another name, made unique. */
export function rename(model: Model, node: Node, name: string): void {
  noteEdit();
  namesOf(model).delete(node.name);
  node.name = uniqueName(model, name, node.type);
  namesOf(model).add(node.name);
}

interface Names {
  readonly used: Set<string>;
  /** The next number to try behind a name that is taken. */
  readonly next: Map<string, number>;
}

const taken = new WeakMap<Model, Names>();

function namesOf(model: Model): Set<string> {
  return bookOf(model).used;
}

function bookOf(model: Model): Names {
  let book = taken.get(model);
  if (!book) {
    book = { used: new Set([...model.nodeById.values()].map((n) => n.name)), next: new Map() };
    taken.set(model, book);
  }
  return book;
}

function uniqueName(model: Model, wanted: string, type: string): string {
  const { used, next } = bookOf(model);
  const base = wanted || type;
  if (!used.has(base)) return base;
  for (let i = next.get(base) ?? 1; ; i++) {
    if (used.has(`${base}_${i}`)) continue;
    next.set(base, i + 1);
    return `${base}_${i}`;
  }
}
