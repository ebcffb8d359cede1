/** An .onnx file to a model of OpenVINO-style operations. */
import path from 'node:path';
import { LowpError } from '../../errors/lowp-error.ts';
import { removeDead, rename } from '../../graph/edit.ts';
import { type MetaElement, Model } from '../../graph/model.ts';
import type { OutputPort } from '../../graph/node.ts';
import { createNode } from '../../ops/index.ts';
import { Attributes } from './attributes.ts';
import { computeType, elementTypeOf } from './data-types.ts';
import { type InlinedGraph, inlineFunctions } from './functions.ts';
import { movedGrid } from './grid.ts';
import { addTensor } from './import/add-tensor.ts';
import { ImportNode, type ImportState } from './import/import-node.ts';
import { importers } from './import/index.ts';
import type { GraphProto, ModelProto, NodeProto, ValueInfoProto } from './onnx_pb.ts';
import { parseModel } from './parse.ts';
import { maxRank, moveToAlignment, readTensor } from './tensor-proto.ts';

export interface ReadOnnxOptions {
  /** Path of the file: for messages, and for external data, which must lie in the same folder. */
  readonly path?: string;
  /** The bytes belong to the reader: constants are moved to where they are aligned instead of copied. Default false. */
  readonly isOwned?: boolean;
}

/**
 * Reads an ONNX model of opset 7 to 26.
 *
 * Inputs and outputs keep their ONNX names, values become tensor names of ports, nodes keep their names (the name of
 * the first output stands in for a missing one). Symbolic dimensions become -1. Constants are views of `bytes` where
 * they are aligned; operations on constants are evaluated. Float16, bfloat16 and double are computed in f32: inputs of
 * these types are declared f32, large float16 weights stay float16 behind a Convert marked as decompression.
 * QuantizeLinear and DequantizeLinear around an activation become one FakeQuantize; a pair behind operations that only
 * moved values of the same grid disappears.
 *
 * @param bytes  the whole file; it must not change while the model is in use
 * @throws {LowpError} `ERR_ONNX_*`, `ERR_FORMAT_EMPTY`, and what the inference of operations throws
 */
export function readOnnx(bytes: Uint8Array, options: ReadOnnxOptions = {}): Model {
  const { proto, graph, opset } = parseModel(bytes, options.path);
  const inlined = inlineFunctions(proto, graph);
  refuseUnknown(inlined.nodes, opset);
  if (options.isOwned) graph.initializer.forEach(moveToAlignment);
  const fallback = options.path === undefined ? 'model' : path.basename(options.path, path.extname(options.path));
  const model = new Model(graph.name || fallback);
  if (options.path !== undefined) model.path = options.path;
  model.meta = metadata(proto);
  new GraphReader(model, graph, inlined, opset, options.path).read();
  removeDead(model);
  return model;
}

/** Lists everything that cannot be read at once, before any work is done. */
function refuseUnknown(nodes: readonly NodeProto[], opset: number): void {
  const missing = new Map<string, { count: number; example: string }>();
  for (const node of nodes) {
    const key = keyOf(node) || '(empty operator name)';
    if (importers.has(key)) continue;
    const entry = missing.get(key) ?? { count: 0, example: nameOf(node) };
    entry.count++;
    missing.set(key, entry);
  }
  if (missing.size === 0) return;
  const list = [...missing].map(([key, { count, example }]) => `${key} (${count}, first '${example}')`);
  const shown = list.length > 20 ? [...list.slice(0, 20), `… ${list.length - 20} more`] : list;
  throw new LowpError('ERR_ONNX_UNSUPPORTED', `operators that lowp cannot read (opset ${opset}): ${shown.join(', ')}`);
}

/** Under which the importer of a node is listed: its operator, behind the domain when that is not ONNX's own. */
function keyOf(node: NodeProto): string {
  return node.domain === '' || node.domain === 'ai.onnx' ? node.opType : `${node.domain}::${node.opType}`;
}

function nameOf(node: NodeProto): string {
  return node.name || node.output.find((o) => o !== '') || node.opType;
}

function metadata(proto: ModelProto): MetaElement[] {
  const entries = proto.metadataProps.map(({ key, value }) => ({ key, value }));
  if (proto.producerName) entries.unshift({ key: 'producer_name', value: proto.producerName });
  if (entries.length === 0) return [];
  const children = entries.map(({ key, value }) => ({ name: 'info', attributes: { name: key, value }, children: [] }));
  return [{ name: 'framework', attributes: {}, children }];
}

/** Walks one graph and keeps the map from ONNX value names to ports. */
class GraphReader {
  readonly #model: Model;
  readonly #graph: GraphProto;
  readonly #path: string | undefined;
  readonly #state: ImportState;
  /** Values that exist; undefined for an output that its operator does not compute. */
  readonly #values = new Map<string, OutputPort | undefined>();
  readonly #nodeNames: ReadonlySet<string>;

  readonly #inlined: InlinedGraph;

  constructor(model: Model, graph: GraphProto, inlined: InlinedGraph, opset: number, modelPath: string | undefined) {
    this.#model = model;
    this.#graph = graph;
    this.#inlined = inlined;
    this.#path = modelPath;
    this.#state = { model, opset, quantized: new Map(), grids: new Map(), reals: new Map() };
    this.#nodeNames = new Set(inlined.nodes.map(nameOf));
  }

  read(): void {
    const initializers = new Set(this.#graph.initializer.map((t) => t.name));
    const inputs = new Set<string>();
    for (const input of this.#graph.input) {
      if (inputs.has(input.name)) graphError(`the input '${input.name}' is declared twice`);
      inputs.add(input.name);
      if (!initializers.has(input.name)) this.#addInput(input);
    }
    for (const proto of this.#graph.initializer) {
      if (proto.name === '') graphError('an initializer has no name');
      const name = this.#nodeNames.has(proto.name) ? `${proto.name}/value` : proto.name;
      this.#define(proto.name, addTensor(this.#model, name, readTensor(proto, this.#path)));
    }
    for (const node of this.#inlined.nodes) this.#addNode(node);
    if (this.#graph.output.length === 0) graphError('the graph has no outputs');
    const outputs = new Set<string>();
    for (const { name } of this.#graph.output) {
      if (outputs.has(name)) graphError(`the output '${name}' is declared twice`);
      outputs.add(name);
      this.#addOutput(name);
    }
  }

  #addInput(info: ValueInfoProto): void {
    const where = `the input '${info.name}'`;
    if (info.name === '') graphError('an input has no name');
    const tensorType = info.type?.tensorType;
    if (!tensorType) {
      throw new LowpError('ERR_TYPE_UNSUPPORTED', `${where} is not declared as a tensor; lowp reads tensors only`);
    }
    const type = computeType(elementTypeOf(tensorType.elemType, where));
    const dims = tensorType.shape?.dim;
    if (!dims) {
      throw new LowpError('ERR_ONNX_UNSUPPORTED', `${where} has no shape`, {
        help: 'Export the model with a declared rank; single dimensions may be dynamic.',
      });
    }
    if (dims.length > maxRank) {
      throw new LowpError('ERR_SHAPE_RANK', `${where} has rank ${dims.length}; lowp reads up to rank ${maxRank}`);
    }
    const shape = dims.map(({ value }) => (value.case === 'dimValue' && value.value >= 0n ? Number(value.value) : -1));
    const attributes = { element_type: type, shape };
    const node = createNode(this.#model, { type: 'Parameter', name: info.name, attributes, inputs: [] });
    this.#define(info.name, node.output);
  }

  #addOutput(name: string): void {
    const source = this.#value(name, 'the outputs of the graph');
    const result = createNode(this.#model, { type: 'Result', name: `${name}/result`, inputs: [source] });
    const port = result.outputs[0];
    if (port) port.names = [name];
    else if (source.names[0] !== name) source.names = [name, ...source.names.filter((n) => n !== name)];
  }

  #addNode(proto: NodeProto): void {
    const name = nameOf(proto);
    if (proto.output.every((o) => o === '')) graphError(`${proto.opType} '${name}' has no outputs`, name);
    const importer = importers.get(keyOf(proto));
    if (!importer) throw new LowpError('ERR_ONNX_UNSUPPORTED', `the operator ${proto.opType} cannot be read`);
    const outputNames = trimmed(proto.output);
    const inputs = trimmed(proto.input).map((i) => (i === '' ? undefined : this.#value(i, `'${name}'`, name)));
    const attributes = new Attributes(proto, name, this.#path);
    const firstNew = this.#model.nextId;
    const state = { ...this.#state, opset: this.#inlined.opsets.get(proto) ?? this.#state.opset };
    const ports = importer(new ImportNode(state, { name, opType: proto.opType, attributes, inputs, outputNames }));
    this.#noteGrids(firstNew);
    for (const [i, value] of outputNames.entries()) if (value !== '') this.#define(value, ports[i], name);
    const last = ports[0]?.node;
    if (last && last.id >= firstNew && last.name !== name) rename(this.#model, last, name);
  }

  /** The new nodes that moved values of a grid pass it on. */
  #noteGrids(firstNew: number): void {
    const { grids } = this.#state;
    for (let id = firstNew; id < this.#model.nextId; id++) {
      const node = this.#model.nodeById.get(id);
      const grid = node && movedGrid(node, (port) => grids.get(port));
      if (grid) for (const port of node.outputs) if (port.fact.type === 'f32') grids.set(port, grid);
    }
  }

  #define(name: string, port: OutputPort | undefined, node?: string): void {
    if (this.#values.has(name)) graphError(`the value '${name}' is defined twice`, node);
    this.#values.set(name, port);
    if (port) port.names = [...port.names, name];
  }

  #value(name: string, user: string, node?: string): OutputPort {
    const port = this.#values.get(name);
    if (port) return port;
    if (!this.#values.has(name)) {
      graphError(`the value '${name}', read by ${user}, does not exist or is defined later`, node);
    }
    throw new LowpError('ERR_ONNX_UNSUPPORTED', `the value '${name}', read by ${user}, is not computed by lowp`);
  }
}

function trimmed(names: readonly string[]): string[] {
  return names.slice(0, names.findLastIndex((n) => n !== '') + 1);
}

function graphError(text: string, node?: string): never {
  throw new LowpError('ERR_ONNX_GRAPH', text, node === undefined ? {} : { node });
}
