// The rules that every model keeps.
import { LowpError } from '../errors/lowp-error.ts';
import type { Model } from './model.ts';
import type { Node } from './node.ts';
import { subGraphsOf } from './sub-graph.ts';

/**
 * Checks what every pass must keep: links are symmetric and stay inside the model, names are unique, there is no cycle,
 * `Parameter` and `Result` lists agree with the nodes. Bodies of loops and conditions are checked alike, and so are the
 * ports that their nodes name.
 *
 * @throws {LowpError} `ERR_GRAPH_INVALID` or `ERR_GRAPH_CYCLE`
 */
export function verify(model: Model): void {
  const fail = (node: string, text: string): never => {
    throw new LowpError('ERR_GRAPH_INVALID', `node '${node}': ${text}`, { node });
  };
  const names = new Set<string>();
  for (const node of model.nodeById.values()) {
    if (names.has(node.name)) fail(node.name, 'the name is used twice');
    names.add(node.name);
    for (const input of node.inputs) {
      if (!input.source) continue;
      if (model.nodeById.get(input.source.node.id) !== input.source.node)
        fail(node.name, `input ${input.index} comes from outside the model`);
      if (!input.source.consumers.has(input)) fail(node.name, `input ${input.index} is not known to its source`);
    }
    for (const out of node.outputs) {
      for (const consumer of out.consumers) {
        if (consumer.source !== out) fail(node.name, `output ${out.index} lists a consumer that reads elsewhere`);
        if (model.nodeById.get(consumer.node.id) !== consumer.node)
          fail(node.name, `output ${out.index} is read from outside the model`);
      }
    }
  }
  for (const node of [...model.parameterList, ...model.resultList]) {
    if (!model.nodeById.has(node.id)) fail(node.name, 'is an input or output of the model but not part of it');
  }
  model.nodes();
  for (const node of model.nodeById.values()) verifyBodies(node, fail);
}

function verifyBodies(node: Node, fail: (node: string, text: string) => never): void {
  for (const { body, inputs, outputs, backEdges } of subGraphsOf(node)) {
    verify(body);
    const [parameters, results] = [body.parameters().length, body.results().length];
    const isPort = (internal: number, count: number) => internal >= 0 && internal < count;
    if (inputs.some((m) => !isPort(m.internal, parameters) || m.external >= node.inputs.length))
      fail(node.name, 'its body has no such input');
    if (outputs.some((m) => !isPort(m.internal, results) || m.external >= node.outputs.length))
      fail(node.name, 'its body has no such output');
    if (backEdges.some((e) => !isPort(e.from, results) || !isPort(e.to, parameters)))
      fail(node.name, 'a back edge names no port of the body');
  }
}
