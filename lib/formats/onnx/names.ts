/** Which values graphs and nodes name: a body reads values of the graphs around it without listing them. */
import type { GraphProto, NodeProto } from './onnx_pb.ts';

/** Every value that a graph reads, its own ones and those of its bodies included. */
export function namesIn(graph: GraphProto, names = new Set<string>()): Set<string> {
  for (const { name } of graph.output) names.add(name);
  for (const node of graph.node) namesReadBy(node, names);
  return names;
}

/** Every value that a node reads, itself or in a body. */
export function namesReadBy(node: NodeProto, names = new Set<string>()): Set<string> {
  for (const name of node.input) names.add(name);
  for (const { g } of node.attribute) if (g) namesIn(g, names);
  return names;
}
