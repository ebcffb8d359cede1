// Model → IR: the .xml text and the .bin bytes, the same bytes for the same model every time.
import { invariant } from '../../errors/assert.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Model } from '../../graph/model.ts';
import type { InputPort, Node, OutputPort } from '../../graph/node.ts';
import { SubGraph } from '../../graph/sub-graph.ts';
import { topologicalOrder } from '../../graph/topological.ts';
import { parseAttributes } from '../../ops/create-node.ts';
import type { OpDef } from '../../ops/define-op.ts';
import '../../ops/index.ts';
import { getOp, isNumbered } from '../../ops/registry.ts';
import { hasRank, type Shape, sameShape } from '../../tensor/shape.ts';
import { printAttributes } from './attributes.ts';
import { BinWriter } from './bin.ts';
import { refuseForeignTypes } from './foreign-types.ts';
import { metaFor } from './meta.ts';
import { joinNames, portPrecision } from './names.ts';
import { type Packing, packingOf } from './packing.ts';
import { writePortMap } from './port-map.ts';
import { XmlPrinter } from './print-xml.ts';

/** How to write. */
export interface WriteIrOptions {
  /** 10 only for a model that was read from an IR of version 10. Default 11. */
  readonly version?: 10 | 11;
}

/** The two files of an IR. */
export interface IrFiles {
  readonly xml: string;
  readonly bin: Uint8Array;
}

type RtInfo = readonly Readonly<Record<string, string>>[] | undefined;

/**
 * Writes inputs first, then producers before consumers, outputs last. Equal constants share their bytes, which are
 * aligned to the element size. What `readIr` makes of the files is written as the same bytes again.
 *
 * @throws {LowpError} `ERR_FORMAT_UNSUPPORTED` when the model has something that the IR cannot hold
 */
export function writeIr(model: Model, options: WriteIrOptions = {}): IrFiles {
  const version = options.version ?? 11;
  if (version === 10 && model.irVersion !== 10) {
    throw new LowpError('ERR_FORMAT_UNSUPPORTED', 'IR version 10 is written only for models that were read from one');
  }
  const bin = new BinWriter();
  const meta = metaFor(model.meta, model.irVersion, version);
  const layers = new LayerWriter(bin, packingOf(meta));
  const xml = new XmlPrinter();
  xml.element('net', { name: model.name, version: String(version) }, () => {
    writeNet(xml, idsOf(model), layers);
    for (const element of meta) xml.tree(element);
  });
  return { xml: xml.toString(), bin: bin.finish() };
}

/** The nodes in the order in which they are written, numbered from 0 on. */
function idsOf(model: Model): ReadonlyMap<Node, number> {
  return new Map(layerOrder(model).map((node, id) => [node, id]));
}

/** The layers and edges of a model or body. */
function writeNet(xml: XmlPrinter, ids: ReadonlyMap<Node, number>, layers: LayerWriter): void {
  xml.element('layers', {}, () => {
    for (const [node, id] of ids) layers.write(xml, node, id);
  });
  xml.element('edges', {}, () => {
    for (const [node, id] of ids) writeEdges(xml, node, id, ids);
  });
}

/** Inputs and outputs in the model's own order, at the ends; Result nodes have no consumers. */
function layerOrder(model: Model): Node[] {
  const inner = [...model.nodeById.values()].filter((n) => n.type !== 'Result');
  return topologicalOrder([...model.parameters(), ...inner, ...model.results()]);
}

function writeEdges(xml: XmlPrinter, node: Node, id: number, ids: ReadonlyMap<Node, number>): void {
  for (const input of node.inputs) {
    const source = sourceOf(input);
    xml.leaf('edge', {
      'from-layer': String(ids.get(source.node)),
      'from-port': String(source.node.inputs.length + source.index),
      'to-layer': String(id),
      'to-port': String(input.index),
    });
  }
}

function sourceOf(input: InputPort): OutputPort {
  if (input.source) return input.source;
  const { node, index } = input;
  throw new LowpError('ERR_FORMAT_UNSUPPORTED', `${node.type} '${node.name}': input ${index} is not connected`, {
    node: node.name,
    help: 'An IR cannot leave out an input in front of others.',
  });
}

/** Prints layers, and puts the constants among them into the .bin. */
class LayerWriter {
  readonly #bin: BinWriter;
  readonly #packing: Packing;

  constructor(bin: BinWriter, packing: Packing) {
    this.#bin = bin;
    this.#packing = packing;
  }

  write(xml: XmlPrinter, node: Node, id: number): void {
    refuseForeignTypes(node);
    const isConstant = node.type === 'Constant';
    const definition = getOp(node.type, node.notes.opset, node.name);
    const head = {
      id: String(id),
      name: node.name,
      type: isConstant ? 'Const' : node.type,
      version: isNumbered(definition.opset) ? (node.notes.opset ?? definition.opset) : definition.opset,
    };
    const data = { ...node.notes.unknownAttributes, ...(isConstant ? this.#store(node) : this.#attributes(node)) };
    const outputs = node.type === 'Result' ? [] : node.outputs;
    xml.element('layer', head, () => {
      if (Object.keys(data).length > 0) xml.leaf('data', data);
      writeRtInfo(xml, node.notes.rtInfo);
      if (node.inputs.length > 0) {
        xml.element('input', {}, () => {
          for (const input of node.inputs) {
            writePort(xml, input.index, sourceOf(input), [], node.notes.inputRtInfo?.[input.index]);
          }
        });
      }
      if (outputs.length > 0) {
        xml.element('output', {}, () => {
          for (const out of outputs) {
            writePort(xml, node.inputs.length + out.index, out, namesOf(out), node.notes.portRtInfo?.[out.index]);
          }
        });
      }
      this.#writeBodies(xml, node, definition);
    });
  }

  /** The port maps of all bodies, then the bodies. */
  #writeBodies(xml: XmlPrinter, node: Node, definition: OpDef): void {
    const bodies = Object.entries(definition.ir?.subGraphs ?? {}).map(([attribute, names]) => {
      const sub = node.attributes[attribute];
      invariant(sub instanceof SubGraph, `${node.name} has no ${attribute}`);
      return { sub, names, ids: idsOf(sub.body) };
    });
    for (const { sub, names, ids } of bodies) writePortMap(xml, node, sub, names, ids);
    for (const { sub, names, ids } of bodies) {
      xml.element(names.body, {}, () => {
        writeNet(xml, ids, this);
        for (const element of sub.body.meta) xml.tree(element);
      });
    }
  }

  #store(node: Node): Record<string, string> {
    const value = node.output.fact.value;
    invariant(value, `the constant ${node.name} has no value`);
    const { offset, size } = this.#bin.add(value, this.#packing);
    return { element_type: value.type, shape: value.shape.join(','), offset: String(offset), size: String(size) };
  }

  #attributes(node: Node): Readonly<Record<string, string>> {
    const definition = getOp(node.type, node.notes.opset);
    const printed = printAttributes(definition, node.attributes);
    if (node.type !== 'Parameter') return printed;
    const { type, shape } = node.output.fact;
    const ranges = node.notes.unknownAttributes?.shape;
    const kept = ranges !== undefined && sameShape(shapeOf(ranges, node.name), shape);
    return { ...printed, element_type: type, shape: kept ? ranges : shapeText(shape) };
  }
}

/** Dimensions separated by commas, `?` for a dynamic one, `...` for an unknown rank. */
function shapeText(shape: Shape): string {
  return hasRank(shape) ? shape.map((d) => (d < 0 ? '?' : d)).join(',') : '...';
}

/** Sizes of a Parameter's shape text, -1 for ranges. */
function shapeOf(text: string, node: string): Shape {
  const { shape } = parseAttributes(getOp('Parameter'), { shape: text }, node);
  invariant(Array.isArray(shape), 'a Parameter has a shape');
  return shape;
}

/** Tensor names of an output: those that a Result adds come first, because users read the output by them. */
function namesOf(out: OutputPort): readonly string[] {
  const results = [...out.consumers].filter((c) => c.node.type === 'Result');
  const added = results.flatMap((c) => c.node.outputs[0]?.names ?? []);
  return [...new Set([...added, ...out.names])];
}

function writePort(xml: XmlPrinter, id: number, port: OutputPort, names: readonly string[], rtInfo: RtInfo): void {
  const { type, shape } = port.fact;
  const head = {
    id: String(id),
    precision: portPrecision(type),
    ...(names.length > 0 ? { names: joinNames(names) } : {}),
  };
  const dimensions = hasRank(shape) ? shape : [];
  if (dimensions.length === 0 && !rtInfo) {
    xml.leaf('port', head);
    return;
  }
  xml.element('port', head, () => {
    for (const d of dimensions) xml.leaf('dim', {}, String(d));
    writeRtInfo(xml, rtInfo);
  });
}

function writeRtInfo(xml: XmlPrinter, rtInfo: RtInfo): void {
  if (!rtInfo || rtInfo.length === 0) return;
  xml.element('rt_info', {}, () => {
    for (const attributes of rtInfo) xml.leaf('attribute', attributes);
  });
}
