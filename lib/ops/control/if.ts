// If: one of two bodies runs.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { SubGraph } from '../../graph/sub-graph.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import { formatShape, isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Control, defineOp } from '../define-op.ts';
import { evaluateControl } from '../evaluate-model.ts';
import { type Facts, inputFact } from '../fact.ts';
import { inline, own } from './expand-loop.ts';
import { inferBranch, loopOutputs } from './infer-body.ts';

const attributes = z.object({ then_body: z.instanceof(SubGraph), else_body: z.instanceof(SubGraph) });

type Attributes = z.infer<typeof attributes>;

/** The body that a condition chooses. */
function chosen(a: Attributes, condition: Tensor): SubGraph {
  return toFloat64(condition)[0] !== 0 ? a.then_body : a.else_body;
}

function infer(a: Attributes, inputs: Facts): Fact[] {
  const condition = inputFact(inputs, 0);
  if (condition.value) {
    const sub = chosen(a, condition.value);
    inferBranch(sub, inputs);
    return loopOutputs(sub, 1);
  }
  const [yes, no] = [a.then_body, a.else_body].map((sub) => {
    inferBranch(sub, inputs);
    return loopOutputs(sub, 1);
  }) as [Fact[], Fact[]];
  if (yes.length !== no.length) {
    throw new LowpError('ERR_OP_INPUTS', `its bodies have ${yes.length} and ${no.length} outputs`);
  }
  return yes.map((fact, i) => merge(fact, no[i]!, i));
}

/** What is true of a value whichever body computes it. */
function merge(a: Fact, b: Fact, index: number): Fact {
  if (a.type !== b.type) {
    throw new LowpError('ERR_TYPE_MISMATCH', `output ${index} has the types ${a.type} and ${b.type} in its bodies`);
  }
  if (a.shape.length !== b.shape.length) {
    const shapes = `${formatShape(a.shape)} and ${formatShape(b.shape)}`;
    throw new LowpError(
      'ERR_SHAPE_DYNAMIC',
      `output ${index} has the shapes ${shapes} in its bodies, of different ranks`,
      {
        help: 'Make the condition a constant, so that one of the bodies is chosen when the model is read.',
      },
    );
  }
  return { type: a.type, shape: a.shape.map((d, i) => (d === b.shape[i] ? d : -1)) };
}

function* run(a: Attributes, inputs: readonly (Tensor | undefined)[]): Control {
  const sub = chosen(a, inputs[0]!);
  const feeds: Tensor[] = [];
  for (const { internal, external } of sub.inputs) feeds[internal] = inputs[external]!;
  const results = yield { subGraph: sub, feeds };
  const outputs: Tensor[] = [];
  for (const { internal, external } of sub.outputs) outputs[external] = results[internal]!;
  return outputs;
}

/** Runs `then_body` when input 0 is true, else `else_body`. Outputs whose sizes differ between the bodies are dynamic. */
export const ifOp = defineOp<Attributes>({
  type: 'If',
  opset: 'opset8',
  attributes,
  inputs: [1, 65536],
  strings: true,
  infer,
  evaluate: (a, present, all) => evaluateControl(run(a, all ?? present)),
  control: run,
  expand: (a, node, e) => {
    const condition = node.source(0)!.fact.value;
    if (!condition) return undefined;
    const sub = chosen(a, condition);
    if (![...sub.body.nodeById.values()].every((n) => n.outputs.every((o) => isStatic(o.fact.shape)))) return undefined;
    const feeds: (typeof node.output)[] = [];
    for (const { internal, external } of sub.inputs) feeds[internal] = node.source(external)!;
    const results = inline(sub.body, feeds, e, 'body');
    const outputs: (typeof node.output)[] = [];
    for (const { internal, external } of sub.outputs) outputs[external] = own(results[internal]!, e, external);
    return outputs;
  },
  ir: {
    write: () => ({}),
    subGraphs: {
      then_body: { body: 'then_body', portMap: 'then_port_map' },
      else_body: { body: 'else_body', portMap: 'else_port_map' },
    },
  },
});
