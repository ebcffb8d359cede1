// If: one of two bodies runs.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { SubGraph } from '../../graph/sub-graph.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import { commonShape, isStatic, unknownRank } from '../../tensor/shape.ts';
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
  const [yes, no] = [a.then_body, a.else_body].map((sub) => inferPossible(sub, inputs)) as [Branch, Branch];
  if (yes.refused && no.refused) throw yes.refused;
  if (yes.facts.length !== no.facts.length) {
    throw new LowpError('ERR_OP_INPUTS', `its bodies have ${yes.facts.length} and ${no.facts.length} outputs`);
  }
  return yes.facts.map((fact, i) => {
    const other = no.facts[i]!;
    if (fact.type !== other.type) {
      const types = `${fact.type} and ${other.type}`;
      throw new LowpError('ERR_TYPE_MISMATCH', `output ${i} has the types ${types} in its bodies`);
    }
    if (yes.refused || no.refused) return yes.refused ? other : fact;
    return { type: fact.type, shape: commonShape(fact.shape, other.shape) };
  });
}

/** The outputs of a body. */
interface Branch {
  readonly facts: readonly Fact[];
  /** Why the body cannot run with inputs of these shapes: no value comes from it, and taking it is an error. */
  readonly refused?: LowpError;
}

/**
 * The facts of a body that may never run. One that cannot run with these shapes is left in a state that holds for other
 * shapes.
 *
 * @throws {LowpError} when it cannot run with any shapes
 */
function inferPossible(sub: SubGraph, inputs: Facts): Branch {
  try {
    inferBranch(sub, inputs);
    return { facts: loopOutputs(sub, 1) };
  } catch (error) {
    if (!(error instanceof LowpError)) throw error;
    try {
      inferBranch(
        sub,
        inputs.map((fact) => fact && { type: fact.type, shape: unknownRank }),
      );
    } catch {
      throw error;
    }
    return { facts: loopOutputs(sub, 1), refused: error };
  }
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

/**
 * Runs `then_body` when input 0 is true, else `else_body`. A condition that is known chooses the body that is inferred;
 * otherwise sizes that differ between the bodies are dynamic, and of outputs of different ranks the rank is not known.
 */
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
