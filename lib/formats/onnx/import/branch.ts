/** Bodies as models: their results, and the parameters through which they read values from outside. */
import { removeDead, removeNode } from '../../../graph/edit.ts';
import type { Model } from '../../../graph/model.ts';
import type { OutputPort } from '../../../graph/node.ts';
import type { PortMapping } from '../../../graph/sub-graph.ts';
import { createNode } from '../../../ops/create-node.ts';
import type { GraphProto } from '../onnx_pb.ts';
import type { CapturedShapes, ImportNode, ReadBody } from './import-node.ts';
import { portsOf } from './values.ts';

/** A body without inputs of its own, with one result for each port of its outputs. */
export function branch(n: ImportNode, graph: GraphProto, shapes?: CapturedShapes): ReadBody {
  const body = n.bodies.separate(graph, () => [], shapes);
  for (const [i, port] of body.outputs.flatMap(portsOf).entries()) addResult(body.model, port, i);
  return { ...body, captures: neededCaptures(body) };
}

export function addResult(model: Model, port: OutputPort, index: number): void {
  createNode(model, { type: 'Result', name: `result.${index}`, inputs: [port] });
}

/** Removes what no result needs; the captures that remain. */
export function neededCaptures({ model, captures }: ReadBody): ReadBody['captures'] {
  removeDead(model);
  return captures.filter(({ parameter }) => {
    if (parameter.consumers.size > 0) return true;
    removeNode(model, parameter.node);
    return false;
  });
}

/** The inputs that feed captures, when `outside` stand behind `first` other inputs of the node. */
export function mapCaptures(
  model: Model,
  captures: ReadBody['captures'],
  outside: readonly OutputPort[],
  first: number,
): PortMapping[] {
  return captures.map((c) => ({
    external: first + outside.indexOf(c.outside),
    internal: model.parameters().indexOf(c.parameter.node),
  }));
}
