// The layers and edges of an IR as records, before anything is known about operations.
import { LowpError } from '../../errors/lowp-error.ts';
import { splitNames, wholeNumber } from './names.ts';
import { opsetOf } from './version.ts';
import { childOf, childrenOf, type XmlElement } from './xml.ts';

/** Attributes of the `<attribute>` elements of an `<rt_info>`. */
export type RtInfo = readonly Readonly<Record<string, string>>[];

/** A port as it is written. */
export interface LayerPort {
  /** Number that edges use; counts through inputs and outputs. */
  readonly id: number;
  readonly precision: string | undefined;
  readonly names: readonly string[];
  readonly rtInfo: RtInfo;
}

/** A layer as it is written, and what feeds its inputs. */
export interface Layer {
  readonly id: number;
  readonly name: string;
  /** IR spelling, for example `Const`. */
  readonly type: string;
  readonly opset: string;
  readonly data: Readonly<Record<string, string>>;
  readonly rtInfo: RtInfo;
  readonly inputs: readonly LayerPort[];
  readonly outputs: readonly LayerPort[];
  /** Bodies of loops and conditions, which are networks of their own, and the maps of their ports. */
  readonly bodies: readonly XmlElement[];
  /** Source of each input; filled by {@link connectLayers}. */
  readonly sources: (LayerOutput | undefined)[];
  readonly line: number;
}

/** An output of a layer. */
export interface LayerOutput {
  readonly layer: Layer;
  /** Position among the outputs. */
  readonly index: number;
}

/** Elements of every layer; others belong to bodies. */
const common = new Set(['data', 'rt_info', 'input', 'output']);

/** @throws {LowpError} `ERR_IR_ATTRIBUTE`, `ERR_IR_SYNTAX` when a layer has no id or type */
export function readLayers(net: XmlElement): Layer[] {
  const layers = childOf(net, 'layers');
  if (!layers) throw new LowpError('ERR_IR_SYNTAX', `line ${net.line}: <net> has no <layers>`);
  return childrenOf(layers, 'layer').map(readLayer);
}

function readLayer(element: XmlElement): Layer {
  const { name = '', type, version } = element.attributes;
  const where = `line ${element.line}: layer '${name}'`;
  if (!type) throw new LowpError('ERR_IR_SYNTAX', `${where} has no type`);
  const ports = (list: 'input' | 'output'): LayerPort[] =>
    childrenOf(childOf(element, list), 'port').map((p) => readPort(p, where));
  const inputs = ports('input');
  return {
    id: wholeNumber(element.attributes.id, `${where}: id`),
    name,
    type,
    opset: opsetOf(type, version),
    data: childOf(element, 'data')?.attributes ?? {},
    rtInfo: readRtInfo(element),
    inputs,
    outputs: ports('output'),
    bodies: element.children.filter((c) => !common.has(c.name)),
    sources: inputs.map(() => undefined),
    line: element.line,
  };
}

function readPort(element: XmlElement, where: string): LayerPort {
  return {
    id: wholeNumber(element.attributes.id, `${where}: port id`),
    precision: element.attributes.precision,
    names: splitNames(element.attributes.names),
    rtInfo: readRtInfo(element),
  };
}

function readRtInfo(element: XmlElement): RtInfo {
  return childrenOf(childOf(element, 'rt_info'), 'attribute').map((a) => a.attributes);
}

/**
 * Fills `sources` from the `<edges>`.
 *
 * @throws {LowpError} `ERR_IR_EDGE` for a layer or port that does not exist, a layer id or an input that is used twice,
 *   an input without an edge
 */
export function connectLayers(net: XmlElement, layers: readonly Layer[]): void {
  const byId = new Map<number, Layer>();
  for (const layer of layers) {
    const other = byId.get(layer.id);
    if (other) {
      throw edgeError(layer.line, `the layers '${other.name}' and '${layer.name}' have the same id ${layer.id}`);
    }
    byId.set(layer.id, layer);
  }
  for (const edge of childrenOf(childOf(net, 'edges'), 'edge')) connectEdge(edge, byId);
  for (const layer of layers) {
    const open = layer.sources.indexOf(undefined);
    if (open >= 0) throw edgeError(layer.line, `no edge leads to input ${open} of layer '${layer.name}'`);
  }
}

function connectEdge(edge: XmlElement, byId: ReadonlyMap<number, Layer>): void {
  const end = (name: string): number => wholeNumber(edge.attributes[name], `line ${edge.line}: edge: ${name}`);
  const find = (id: number): Layer => {
    const layer = byId.get(id);
    if (!layer) throw edgeError(edge.line, `an edge names layer ${id}, which does not exist`);
    return layer;
  };
  const from = find(end('from-layer'));
  const to = find(end('to-layer'));
  const output = position(from.outputs, end('from-port'));
  if (output < 0) {
    throw edgeError(
      edge.line,
      `layer '${from.name}' (id ${from.id}) has no output port ${edge.attributes['from-port']}`,
    );
  }
  const input = position(to.inputs, end('to-port'));
  if (input < 0) {
    throw edgeError(edge.line, `layer '${to.name}' (id ${to.id}) has no input port ${edge.attributes['to-port']}`);
  }
  if (to.sources[input]) {
    throw edgeError(edge.line, `two edges lead to input port ${edge.attributes['to-port']} of layer '${to.name}'`);
  }
  to.sources[input] = { layer: from, index: output };
}

/** Position of the port with that id: at its id for the usual numbering, searched otherwise. */
function position(ports: readonly LayerPort[], id: number): number {
  const first = ports[0];
  if (first && ports[id - first.id]?.id === id) return id - first.id;
  return ports.findIndex((p) => p.id === id);
}

function edgeError(line: number, message: string): LowpError {
  return new LowpError('ERR_IR_EDGE', `line ${line}: ${message}`);
}
