// A whole body evaluated by the definitions of its operations, and control flow over bodies.
import { LowpError } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import type { OutputPort } from '../graph/node.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Control } from './define-op.ts';
import { evaluateNode } from './evaluate-node.ts';

/**
 * The values of the results, in their order, for values of the parameters.
 *
 * @throws {LowpError} `ERR_OP_UNSUPPORTED` for an operation without evaluation, and what evaluations throw; both name the node
 */
export function evaluateModel(body: Model, feeds: readonly Tensor[]): Tensor[] {
  const values = new Map<OutputPort, Tensor>();
  for (const [i, parameter] of body.parameters().entries()) values.set(parameter.output, feeds[i]!);
  for (const node of body.nodes()) {
    if (node.type === 'Parameter') continue;
    const inputs = node.inputs.map((i) => i.source && values.get(i.source));
    try {
      const outputs = evaluateNode(node, inputs);
      if (!outputs) throw new LowpError('ERR_OP_UNSUPPORTED', 'it cannot be evaluated in a body');
      for (const [i, port] of node.outputs.entries()) values.set(port, outputs[i]!);
    } catch (error) {
      if (!(error instanceof LowpError) || error.node !== undefined) throw error;
      throw new LowpError(error.code, `${node.type} '${node.name}': ${error.message}`, {
        node: node.name,
        cause: error,
      });
    }
  }
  return body.results().map((r) => values.get(r.source(0)!)!);
}

/** Runs control flow to its end with bodies evaluated by the reference. */
export function evaluateControl(control: Control): Tensor[] {
  let step = control.next([]);
  while (!step.done) step = control.next(evaluateModel(step.value.subGraph.body, step.value.feeds));
  return step.value;
}
