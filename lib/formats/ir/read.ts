// IR → Model: layers become nodes through the operations' own definitions, constants become views on the .bin.

import { LowpError } from '../../errors/lowp-error.ts';
import { addConstant } from '../../graph/edit.ts';
import { type MetaElement, Model } from '../../graph/model.ts';
import type { FormatNotes, Node, OutputPort } from '../../graph/node.ts';
import type { SubGraph } from '../../graph/sub-graph.ts';
import { orderByProducers } from '../../graph/topological.ts';
import { createNode } from '../../ops/create-node.ts';
import { hasRank, type Shape } from '../../tensor/shape.ts';
import { ownValue } from '../../util/own-value.ts';
import '../../ops/index.ts';
import { elementType } from '../../ops/attribute.ts';
import { findOp, getOp } from '../../ops/registry.ts';
import { unknownAttributes } from './attributes.ts';
import { readConstant } from './bin.ts';
import { connectLayers, type Layer, readLayers } from './layer.ts';
import { wholeNumber } from './names.ts';
import { type Packing, packingOf } from './packing.ts';
import { readSubGraph } from './port-map.ts';
import { irVersion } from './version.ts';
import { childOf, parseXml, type XmlElement } from './xml.ts';

/** Where the IR came from, for messages, and what it leaves open. */
export interface ReadIrOptions {
  readonly path?: string;
  /** Shapes of inputs whose rank the file leaves open, by the names of their layers. */
  readonly shapes?: Readonly<Record<string, Shape>>;
}

/**
 * Reads an IR of version 10 or 11.
 *
 * Layers may stand in any order; the model has them producers first, inputs in front and outputs at the end. Shapes and
 * types are inferred, what the file says about them is not read. Constants share the memory of `bin`.
 *
 * @param bin  the content of the .bin file; may be absent when the model has no constants
 * @throws {LowpError} `ERR_IR_*` for the file, `ERR_OP_UNKNOWN` naming every unknown operation, `ERR_OP_*`, `ERR_SHAPE_*`
 *   and `ERR_TYPE_*` for layers that cannot be, `ERR_GRAPH_CYCLE`, `ERR_FORMAT_UNKNOWN` for other XML
 */
export function readIr(xml: string | Uint8Array, bin: Uint8Array | undefined, options: ReadIrOptions = {}): Model {
  try {
    const net = parseXml(xml, { path: options.path, skip: new Set(['dim']) });
    if (net.name !== 'net') {
      throw new LowpError('ERR_FORMAT_UNKNOWN', `the XML has the root element <${net.name}>, an IR has <net>`);
    }
    const model = new Model(net.attributes.name ?? 'model');
    if (options.path !== undefined) model.path = options.path;
    model.irVersion = irVersion(net.attributes.version);
    model.meta = metaOf(net);
    const layers = allLayers(net);
    refuseUnknown(layers);
    readNet(model, net, { layers, bin, packing: packingOf(model.meta), shapes: options.shapes ?? {} });
    return model;
  } catch (error) {
    if (!(error instanceof LowpError) || options.path === undefined || error.path !== undefined) throw error;
    throw new LowpError(error.code, error.message, {
      path: options.path,
      cause: error,
      ...(error.help === undefined ? {} : { help: error.help }),
      ...(error.node === undefined ? {} : { node: error.node }),
    });
  }
}

/** What all nets of a file share. */
interface Storage {
  /** The layers of each net. */
  readonly layers: ReadonlyMap<XmlElement, Layer[]>;
  readonly bin: Uint8Array | undefined;
  /** Of constants with elements narrower than a byte. */
  readonly packing: Packing;
  /** Shapes of inputs whose rank is dynamic. */
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** Reads the layers of a whole model or of a body into `model`; returns the nodes by the ids of their layers. */
function readNet(model: Model, net: XmlElement, storage: Storage): Map<number, Node> {
  // A body without layers is not among them: reading it says so.
  const layers = storage.layers.get(net) ?? readLayers(net);
  connectLayers(net, layers);
  const nodes = addLayers(model, layers, storage);
  return new Map(layers.map((layer) => [layer.id, nodes.get(layer)!]));
}

function metaOf(net: XmlElement): MetaElement[] {
  return net.children.filter((c) => c.name !== 'layers' && c.name !== 'edges').map(toMeta);
}

function toMeta(element: XmlElement): MetaElement {
  const { name, attributes, text } = element;
  return { name, attributes, children: element.children.map(toMeta), ...(text === undefined ? {} : { text }) };
}

function isConst(layer: Layer): boolean {
  return layer.type.toLowerCase() === 'const';
}

/** The layers of a net and of all bodies in it. */
function allLayers(net: XmlElement): Map<XmlElement, Layer[]> {
  const found = new Map<XmlElement, Layer[]>();
  const nets = [net];
  while (nets.length > 0) {
    const next = nets.pop()!;
    const layers = readLayers(next);
    found.set(next, layers);
    for (const { bodies } of layers) nets.push(...bodies.filter((b) => childOf(b, 'layers')));
  }
  return found;
}

/** @throws {LowpError} `ERR_OP_UNKNOWN` with every unknown type, bodies included, how often it occurs and an example */
function refuseUnknown(nets: ReadonlyMap<XmlElement, Layer[]>): void {
  const unknown = new Map<string, { count: number; example: string }>();
  for (const layer of [...nets.values()].flat()) {
    if (isConst(layer) || findOp(layer.type, layer.opset)) continue;
    const entry = unknown.get(layer.type);
    if (entry) entry.count++;
    else unknown.set(layer.type, { count: 1, example: layer.name });
  }
  if (unknown.size === 0) return;
  const list = [...unknown].map(([type, { count, example }]) => `${type} (${count}, for example '${example}')`);
  const shown = list.length > 40 ? [...list.slice(0, 40), `… ${list.length - 40} more`] : list;
  throw new LowpError('ERR_OP_UNKNOWN', `the model has operations that are not known: ${shown.join(', ')}`, {
    help: 'The README lists the supported operations.',
  });
}

/** Creates the nodes: inputs in the order of the file, then producers before consumers, outputs last. */
function addLayers(model: Model, layers: readonly Layer[], storage: Storage): Map<Layer, Node> {
  const isType = (layer: Layer, type: string): boolean => layer.type.toLowerCase() === type;
  const order = orderByProducers(
    [...layers.filter((l) => isType(l, 'parameter')), ...layers.filter((l) => !isType(l, 'result')), ...layers],
    (layer) => layer.sources.map((s) => s?.layer),
    (layer) => layer.name,
  );
  const nodes = new Map<Layer, Node>();
  for (const layer of order) {
    const node = isConst(layer) ? addConst(model, layer, storage) : addOperation(model, layer, nodes, storage);
    for (const [i, port] of layer.outputs.entries()) {
      const out = node.outputs[i];
      if (out && port.names.length > 0) out.names = port.names;
    }
    nodes.set(layer, node);
  }
  return nodes;
}

function addConst(model: Model, layer: Layer, { bin, packing }: Storage): Node {
  const { data } = layer;
  const where = `Const '${layer.name}': `;
  const spelled = data.element_type ?? layer.outputs[0]?.precision;
  const type = elementType.safeParse(spelled);
  if (!type.success) {
    throw new LowpError(
      'ERR_TYPE_UNSUPPORTED',
      `${where}the element type ${JSON.stringify(spelled)} is not supported`,
      {
        node: layer.name,
      },
    );
  }
  const text = (data.shape ?? '').trim();
  const shape = text === '' ? [] : text.split(',').map((d) => wholeNumber(d.trim(), `${where}shape`));
  const offset = wholeNumber(data.offset, `${where}offset`);
  const size = wholeNumber(data.size, `${where}size`);
  try {
    const value = readConstant(bin, { type: type.data, shape, offset, size }, packing);
    const known = new Set(['element_type', 'shape', 'offset', 'size']);
    return addConstant(model, layer.name, value, notesOf(layer, excess(data, known)));
  } catch (error) {
    if (!(error instanceof LowpError)) throw error;
    throw new LowpError(error.code, `${where}${error.message}`, {
      node: layer.name,
      cause: error,
      ...(error.help === undefined ? {} : { help: error.help }),
    });
  }
}

function excess(
  data: Readonly<Record<string, string>>,
  known: ReadonlySet<string>,
): Record<string, string> | undefined {
  const entries = Object.entries(data).filter(([key]) => !known.has(key));
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function addOperation(model: Model, layer: Layer, nodes: ReadonlyMap<Layer, Node>, storage: Storage): Node {
  const isOpen = layer.type.toLowerCase() === 'parameter' && layer.data.shape?.trim() === '...';
  const shape = isOpen ? ownValue(storage.shapes, layer.name) : undefined;
  const definition = getOp(layer.type, layer.opset);
  const inputs = layer.sources.map((s): OutputPort | undefined => s && nodes.get(s.layer)?.outputs[s.index]);
  const missing = layer.sources[inputs.indexOf(undefined)];
  if (missing) {
    const { line, name, type } = missing.layer;
    const port = missing.layer.outputs[missing.index]!.id;
    throw new LowpError('ERR_IR_EDGE', `line ${line}: layer '${name}': a ${type} has no output at port ${port}`);
  }
  const node = createNode(model, {
    type: layer.type,
    name: layer.name,
    attributes: { ...layer.data, ...(shape ? { shape } : {}), ...bodiesOf(layer, model, storage) },
    inputs,
    notes: { opset: layer.opset },
  });
  node.notes = notesOf(
    layer,
    (shape ? undefined : rangesOf(node, layer)) ?? unknownAttributes(definition, node.attributes, layer.data),
  );
  return node;
}

/** The bodies of a layer, by attribute. */
function bodiesOf(layer: Layer, model: Model, storage: Storage): Record<string, SubGraph> {
  const found: Record<string, SubGraph> = {};
  for (const [attribute, names] of Object.entries(getOp(layer.type, layer.opset).ir?.subGraphs ?? {})) {
    const net = layer.bodies.find((b) => b.name === names.body);
    if (!net) {
      throw new LowpError('ERR_IR_SYNTAX', `line ${layer.line}: ${layer.type} '${layer.name}' has no <${names.body}>`, {
        node: layer.name,
      });
    }
    const body = new Model(names.body);
    body.irVersion = model.irVersion;
    body.meta = metaOf(net);
    const nodes = readNet(body, net, storage);
    found[attribute] = readSubGraph(layer, names, body, nodes);
  }
  return found;
}

/** The shape of an input whose dimensions are limited to ranges, which the graph does not hold. */
function rangesOf(node: Node, layer: Layer): Record<string, string> | undefined {
  const shape = layer.data.shape;
  return node.type === 'Parameter' && hasRank(node.output.fact.shape) && shape?.includes('..') ? { shape } : undefined;
}

function notesOf(layer: Layer, unknown: Readonly<Record<string, string>> | undefined): FormatNotes {
  const portInfo = (ports: Layer['inputs']) =>
    Object.fromEntries(ports.flatMap((p, i) => (p.rtInfo.length > 0 ? [[i, p.rtInfo] as const] : [])));
  const outputs = portInfo(layer.outputs);
  const inputs = portInfo(layer.inputs);
  return {
    opset: layer.opset,
    ...(layer.rtInfo.length > 0 ? { rtInfo: layer.rtInfo } : {}),
    ...(Object.keys(outputs).length > 0 ? { portRtInfo: outputs } : {}),
    ...(Object.keys(inputs).length > 0 ? { inputRtInfo: inputs } : {}),
    ...(unknown ? { unknownAttributes: unknown } : {}),
  };
}
