// `<port_map>` and `<back_edges>`: how the ports of a layer meet those of its body.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Model } from '../../graph/model.ts';
import type { Node } from '../../graph/node.ts';
import { type BackEdge, type PortMapping, type Slicing, SubGraph } from '../../graph/sub-graph.ts';
import type { SubGraphElements } from '../../ops/define-op.ts';
import type { Layer } from './layer.ts';
import { wholeNumber } from './names.ts';
import type { XmlPrinter } from './print-xml.ts';
import { childrenOf, type XmlElement } from './xml.ts';

/**
 * The ports of a body that was read.
 *
 * @param nodes  the nodes of the body by the ids of their layers
 * @throws {LowpError} `ERR_IR_EDGE` for a port or layer that does not exist, `ERR_IR_ATTRIBUTE`
 */
export function readSubGraph(
  layer: Layer,
  names: SubGraphElements,
  body: Model,
  nodes: ReadonlyMap<number, Node>,
): SubGraph {
  const reader = new PortReader(layer, body, nodes);
  const map = layer.bodies.find((b) => b.name === names.portMap);
  const edges = layer.bodies.find((b) => b.name === names.backEdges);
  const inputs = childrenOf(map, 'input').map((e) => reader.mapping(e, 'input'));
  const outputs = childrenOf(map, 'output').map((e) => reader.mapping(e, 'output'));
  const backEdges = childrenOf(edges, 'edge').map((e) => reader.backEdge(e));
  const fed = new Set(inputs.map((m) => m.internal));
  const open = body.parameters().find((_, i) => !fed.has(i));
  if (open) throw reader.error(layer.line, `nothing leads to the input '${open.name}' of <${names.body}>`);
  return new SubGraph(body, inputs, outputs, backEdges);
}

class PortReader {
  private readonly layer: Layer;
  private readonly body: Model;
  private readonly nodes: ReadonlyMap<number, Node>;

  constructor(layer: Layer, body: Model, nodes: ReadonlyMap<number, Node>) {
    this.layer = layer;
    this.body = body;
    this.nodes = nodes;
  }

  mapping(element: XmlElement, side: 'input' | 'output'): PortMapping {
    const { axis, purpose } = element.attributes;
    if (
      purpose !== undefined &&
      purpose !== '' &&
      purpose !== 'current_iteration' &&
      purpose !== 'execution_condition'
    ) {
      throw this.error(element.line, `the purpose ${JSON.stringify(purpose.slice(0, 40))} is not known`);
    }
    const external = this.external(element, side);
    if (external < 0 && !purpose) throw this.error(element.line, 'a port without an external one has no purpose');
    return {
      external,
      internal: this.internal(element, 'internal_layer_id', side),
      ...(axis === undefined || axis === '' ? {} : { slicing: this.slicing(element) }),
      ...(purpose ? { purpose } : {}),
    };
  }

  backEdge(element: XmlElement): BackEdge {
    return { from: this.internal(element, 'from-layer', 'output'), to: this.internal(element, 'to-layer', 'input') };
  }

  error(line: number, text: string): LowpError {
    const { type, name } = this.layer;
    return new LowpError('ERR_IR_EDGE', `line ${line}: ${type} '${name}': ${text}`, { node: name });
  }

  private external(element: XmlElement, side: 'input' | 'output'): number {
    const text = element.attributes.external_port_id;
    if (text?.trim() === '-1') return -1;
    const id = wholeNumber(text, `line ${element.line}: external_port_id`);
    const ports = side === 'input' ? this.layer.inputs : this.layer.outputs;
    const at = ports.findIndex((p) => p.id === id);
    if (at < 0) throw this.error(element.line, `it has no ${side} port ${id}`);
    return at;
  }

  private internal(element: XmlElement, attribute: string, side: 'input' | 'output'): number {
    const id = wholeNumber(element.attributes[attribute], `line ${element.line}: ${attribute}`);
    const node = this.nodes.get(id);
    const list = side === 'input' ? this.body.parameters() : this.body.results();
    const at = node ? list.indexOf(node) : -1;
    if (at < 0) throw this.error(element.line, `layer ${id} is no ${side} of the body`);
    return at;
  }

  private slicing({ attributes, line }: XmlElement): Slicing {
    const number = (name: string, otherwise: number): number => {
      const text = attributes[name];
      if (text === undefined || text === '') return otherwise;
      const value = /^\s*-?\d{1,15}\s*$/.test(text) ? Number(text) : Number.NaN;
      if (Number.isNaN(value))
        throw this.error(line, `${name} = ${JSON.stringify(text.slice(0, 40))} is no whole number`);
      return value;
    };
    const stride = number('stride', 1);
    const partSize = number('part_size', 1);
    if (stride === 0 || partSize < 1) {
      throw this.error(
        line,
        `stride = ${stride} and part_size = ${partSize}; a stride of 0 and empty parts lead nowhere`,
      );
    }
    return { axis: number('axis', 0), start: number('start', 0), end: number('end', -1), stride, partSize };
  }
}

/** Writes the port map, and behind it the back edges, of one body. */
export function writePortMap(
  xml: XmlPrinter,
  node: Node,
  sub: SubGraph,
  names: SubGraphElements,
  ids: ReadonlyMap<Node, number>,
): void {
  const idOf = (list: readonly Node[], internal: number): string => String(ids.get(list[internal]!));
  const leaf = (side: 'input' | 'output', m: PortMapping): void => {
    const list = side === 'input' ? sub.body.parameters() : sub.body.results();
    const base = side === 'input' ? 0 : node.inputs.length;
    xml.leaf(side, {
      ...(m.slicing ? sliceAttributes(m.slicing) : {}),
      external_port_id: String(m.external < 0 ? -1 : base + m.external),
      internal_layer_id: idOf(list, m.internal),
      ...(m.purpose ? { purpose: m.purpose } : {}),
    });
  };
  xml.element(names.portMap, {}, () => {
    for (const m of sub.inputs) leaf('input', m);
    for (const m of sub.outputs) leaf('output', m);
  });
  if (names.backEdges === undefined || sub.backEdges.length === 0) return;
  xml.element(names.backEdges, {}, () => {
    for (const { from, to } of sub.backEdges) {
      xml.leaf('edge', { 'from-layer': idOf(sub.body.results(), from), 'to-layer': idOf(sub.body.parameters(), to) });
    }
  });
}

function sliceAttributes({ axis, start, end, stride, partSize }: Slicing): Record<string, string> {
  return {
    axis: String(axis),
    start: String(start),
    end: String(end),
    stride: String(stride),
    part_size: String(partSize),
  };
}
