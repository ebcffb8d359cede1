/** One ONNX graph, the main one or a body, into a model: values by name, nodes through their importers. */
import { limits } from '../../errors/limits.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import { withinMemory } from '../../errors/refused-memory.ts';
import { addConstant, rename } from '../../graph/edit.ts';
import { Model } from '../../graph/model.ts';
import type { OutputPort } from '../../graph/node.ts';
import { createNode } from '../../ops/index.ts';
import { movedGrid } from '../../ops/quantization/moved-grid.ts';
import { unknownRank } from '../../tensor/shape.ts';
import { Attributes } from './attributes.ts';
import type { FunctionLibrary } from './functions.ts';
import { addTensor } from './import/add-tensor.ts';
import { readForAnyRank } from './import/any-rank.ts';
import {
  type BodyReader,
  type CapturedShapes,
  ImportNode,
  type ImportState,
  type ReadBody,
} from './import/import-node.ts';
import { findImporter, keyOf } from './import/index.ts';
import { isTensor, mapPorts, portsOf, SequenceValue, type Value } from './import/values.ts';
import { addInput, type InputShapes } from './inputs.ts';
import { namesIn } from './names.ts';
import type { GraphProto, NodeProto } from './onnx_pb.ts';
import { readTensor } from './tensor-proto.ts';

/** What all graphs of a file share. */
export interface FileContext {
  readonly path: string | undefined;
  readonly functions: FunctionLibrary;
  readonly shapes: InputShapes;
  /** Nodes of bodies that were read so far, each time anew. */
  readonly read: { nodes: number };
}

/** Where a graph stands. */
interface Scope {
  /** A value of the graphs around it; undefined when none has that name. */
  readonly outside?: (name: string) => Found | undefined;
  /** In front of the names of nodes, for a body whose nodes are added to the model around it. */
  readonly prefix?: string;
  /** Graphs around it. */
  readonly depth: number;
}

/** A value that exists; undefined inside for one that its operator does not compute. */
interface Found {
  readonly value: Value | undefined;
}

/** A state for a model into which nothing was read yet. */
export function newState(model: Model, opset: number): ImportState {
  return { model, opset, quantized: new Map(), grids: new Map(), reals: new Map() };
}

/** Walks one graph and keeps the map from ONNX value names to values. */
export class GraphReader {
  readonly #file: FileContext;
  readonly #state: ImportState;
  readonly #scope: Scope;
  readonly #values = new Map<string, Found>();

  constructor(file: FileContext, state: ImportState, scope: Scope = { depth: 0 }) {
    this.#file = file;
    this.#state = state;
    this.#scope = scope;
  }

  /** The graph of a file, with the inputs and outputs of the model. */
  readMain(graph: GraphProto): void {
    const { model } = this.#state;
    const { nodes, opsets } = this.#file.functions.inline(graph.node);
    refuseUnknown(nodes, this.#state.opset);
    const initializers = new Set(graph.initializer.map((t) => t.name));
    const inputs = new Set<string>();
    for (const input of graph.input) {
      if (inputs.has(input.name)) graphError(`the input '${input.name}' is declared twice`);
      inputs.add(input.name);
      if (initializers.has(input.name)) continue;
      const value = addInput(model, input, this.#file.shapes);
      this.#define(input.name, value);
      if (!isTensor(value)) for (const port of portsOf(value)) port.names = [port.node.name];
    }
    this.#addInitializers(graph, nodes);
    for (const node of nodes) this.#addNode(node, opsets.get(node));
    if (graph.output.length === 0) graphError('the graph has no outputs');
    const outputs = new Set<string>();
    for (const { name } of graph.output) {
      this.#addOutput(name, this.#value(name, 'the outputs of the graph'), outputs);
    }
    if (outputs.size > 0) return;
    throw new LowpError('ERR_ONNX_UNSUPPORTED', 'the outputs of the graph are empty sequences and absent optionals', {
      help: 'Such a model computes nothing.',
    });
  }

  /** A body: what its outputs are for these inputs. */
  #readBody(graph: GraphProto, inputs: readonly Value[]): Value[] {
    const { depth } = this.#scope;
    const where = `the body '${graph.name}'`;
    if (depth > limits.bodyDepth.value)
      throw new LowpError('ERR_LIMIT_SIZE', `bodies are nested more than ${limits.bodyDepth.value} deep`);
    const { nodes, opsets } = this.#file.functions.inline(graph.node);
    this.#file.read.nodes += nodes.length;
    if (this.#file.read.nodes > limits.bodyNodes.value) {
      throw new LowpError(
        'ERR_LIMIT_SIZE',
        `${where}: the bodies of the model expand to more than ${limits.bodyNodes.value} nodes`,
      );
    }
    refuseUnknown(nodes, this.#state.opset);
    if (graph.sparseInitializer.length > 0) {
      throw new LowpError('ERR_ONNX_UNSUPPORTED', `${where} has sparse initializers`);
    }
    for (const [i, { name }] of graph.input.entries()) this.#define(name, inputs[i]);
    this.#addInitializers(graph, nodes);
    for (const node of nodes) this.#addNode(node, opsets.get(node));
    return graph.output.map(({ name }) => this.#value(name, `the outputs of ${where}`));
  }

  #addInitializers(graph: GraphProto, nodes: readonly NodeProto[]): void {
    const taken = new Set(nodes.map(nameOf));
    for (const proto of graph.initializer) {
      if (proto.name === '') graphError('an initializer has no name');
      const name = this.#prefixed(taken.has(proto.name) ? `${proto.name}/value` : proto.name);
      this.#define(proto.name, addTensor(this.#state.model, name, readTensor(proto, this.#file.path)));
    }
  }

  #prefixed(name: string): string {
    return this.#scope.prefix === undefined ? name : `${this.#scope.prefix}/${name}`;
  }

  /** A sequence is one output for each of its tensors, behind the name a dot and the position. */
  #addOutput(name: string, value: Value, declared: Set<string>): void {
    if (!isTensor(value)) {
      const isNested = value instanceof SequenceValue;
      const parts = isNested ? value.elements : value.content ? [value.content] : [];
      for (const [i, part] of parts.entries()) this.#addOutput(isNested ? `${name}.${i}` : name, part, declared);
      return;
    }
    if (declared.has(name)) graphError(`the output '${name}' is declared twice`);
    declared.add(name);
    const result = createNode(this.#state.model, { type: 'Result', name: `${name}/result`, inputs: [value] });
    const port = result.outputs[0];
    if (port) port.names = [name];
    else if (value.names[0] !== name) value.names = [name, ...value.names.filter((n) => n !== name)];
  }

  #addNode(proto: NodeProto, ownOpset: number | undefined): void {
    const name = this.#prefixed(nameOf(proto));
    if (proto.output.every((o) => o === '')) graphError(`${proto.opType} '${name}' has no outputs`, name);
    const importer = findImporter(proto);
    if (!importer) throw new LowpError('ERR_ONNX_UNSUPPORTED', `the operator ${proto.opType} cannot be read`);
    const { model } = this.#state;
    const outputNames = trimmed(proto.output);
    const inputs = trimmed(proto.input).map((i) => (i === '' ? undefined : this.#value(i, `'${name}'`, name)));
    const attributes = new Attributes(proto, name, this.#file.path);
    const firstNew = model.nextId;
    const state = { ...this.#state, opset: ownOpset ?? this.#state.opset };
    const bodies = this.#bodies(state);
    const read = (own: ImportState) =>
      withinMemory(() =>
        importer(new ImportNode(own, { name, opType: proto.opType, attributes, inputs, outputNames, bodies })),
      );
    // Bodies are handed values of unknown rank as they are.
    const hasBodies = proto.attribute.some((a) => a.g);
    const values = hasBodies ? read(state) : readForAnyRank(name, state, inputs, read);
    this.#noteGrids(firstNew);
    for (const [i, value] of outputNames.entries()) if (value !== '') this.#define(value, values[i], name);
    const first = values[0];
    const last = isTensor(first) ? first.node : undefined;
    if (last && last.id >= firstNew && last.name !== name) rename(model, last, name);
  }

  /** The new nodes that moved values of a grid pass it on. */
  #noteGrids(firstNew: number): void {
    const { grids, model } = this.#state;
    for (let id = firstNew; id < model.nextId; id++) {
      const node = model.nodeById.get(id);
      const grid = node && movedGrid(node, (port) => grids.get(port));
      if (grid) for (const port of node.outputs) if (port.fact.type === 'f32') grids.set(port, grid);
    }
  }

  #bodies(state: ImportState): BodyReader {
    const depth = this.#scope.depth + 1;
    const find = (name: string) => this.#find(name);
    return {
      inline: (graph, inputs, prefix) =>
        new GraphReader(this.#file, state, { outside: find, prefix, depth }).#readBody(graph, inputs),
      separate: (graph, inputs, shapes) => this.#separate(graph, inputs, state.opset, shapes),
      readsStructures: (graph) =>
        [...namesIn(graph)].some((name) => {
          const value = this.#find(name)?.value;
          return value !== undefined && !isTensor(value);
        }),
    };
  }

  #separate(
    graph: GraphProto,
    inputs: (model: Model) => readonly Value[],
    opset: number,
    shapes: CapturedShapes = 'known',
  ): ReadBody {
    const model = new Model(graph.name || 'body');
    const given = inputs(model);
    const inside = new Map<OutputPort, OutputPort>();
    const captures: { outside: OutputPort; parameter: OutputPort }[] = [];
    const capture = (outside: OutputPort): OutputPort => {
      const known = inside.get(outside) ?? copied(model, outside);
      if (known) {
        inside.set(outside, known);
        return known;
      }
      const { type } = outside.fact;
      const shape = shapes === 'known' ? outside.fact.shape : unknownRank;
      const attributes = { element_type: type, shape };
      const name = outside.names[0] ?? outside.node.name;
      const parameter = createNode(model, { type: 'Parameter', name, attributes, inputs: [] }).output;
      inside.set(outside, parameter);
      captures.push({ outside, parameter });
      return parameter;
    };
    const outside = (name: string): Found | undefined => {
      const found = this.#find(name);
      return found?.value ? { value: mapPorts(found.value, capture) } : found;
    };
    const depth = this.#scope.depth + 1;
    const reader = new GraphReader(this.#file, newState(model, opset), { outside, depth });
    return { model, outputs: reader.#readBody(graph, given), captures };
  }

  #define(name: string, value: Value | undefined, node?: string): void {
    if (this.#values.has(name)) graphError(`the value '${name}' is defined twice`, node);
    this.#values.set(name, { value });
    // Tensor names are unique in a model, nodes of a body that is written out are not.
    if (this.#scope.prefix === undefined && isTensor(value)) value.names = [...value.names, name];
  }

  #find(name: string): Found | undefined {
    const own = this.#values.get(name);
    if (own) return own;
    const found = this.#scope.outside?.(name);
    if (found) this.#values.set(name, found);
    return found;
  }

  #value(name: string, user: string, node?: string): Value {
    const found = this.#find(name);
    if (found?.value) return found.value;
    if (!found) graphError(`the value '${name}', read by ${user}, does not exist or is defined later`, node);
    throw new LowpError('ERR_ONNX_UNSUPPORTED', `the value '${name}', read by ${user}, is not computed by lowp`);
  }
}

/** A constant of the graph around a body once more in the body: it shares the tensor. */
function copied(model: Model, port: OutputPort): OutputPort | undefined {
  const { node, fact } = port;
  if (fact.value) return addConstant(model, node.name, fact.value).output;
  const stored = node.inputs.length === 1 ? node.source(0)?.fact.value : undefined;
  if (!stored) return undefined;
  const source = addConstant(model, `${node.name}/value`, stored).output;
  const { type, name, attributes, notes } = node;
  return createNode(model, { type, name, attributes, inputs: [source], notes }).outputs[port.index];
}

/** Lists everything in a graph that cannot be read at once, before any work is done. */
function refuseUnknown(nodes: readonly NodeProto[], opset: number): void {
  const missing = new Map<string, { count: number; example: string }>();
  for (const node of nodes) {
    if (findImporter(node)) continue;
    const key = keyOf(node) || '(empty operator name)';
    const entry = missing.get(key) ?? { count: 0, example: nameOf(node) };
    entry.count++;
    missing.set(key, entry);
  }
  if (missing.size === 0) return;
  const list = [...missing].map(([key, { count, example }]) => `${key} (${count}, first '${example}')`);
  const shown = list.length > 20 ? [...list.slice(0, 20), `… ${list.length - 20} more`] : list;
  const isForeign = [...missing.keys()].some((key) => key.includes('::'));
  throw new LowpError('ERR_ONNX_UNSUPPORTED', `operators that lowp cannot read (opset ${opset}): ${shown.join(', ')}`, {
    ...(isForeign ? { help: 'Register operators of other domains with registerOp before the model is opened.' } : {}),
  });
}

function nameOf(node: NodeProto): string {
  return node.name || node.output.find((o) => o !== '') || node.opType;
}

function trimmed(names: readonly string[]): string[] {
  return names.slice(0, names.findLastIndex((n) => n !== '') + 1);
}

function graphError(text: string, node?: string): never {
  throw new LowpError('ERR_ONNX_GRAPH', text, node === undefined ? {} : { node });
}
