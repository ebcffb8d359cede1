// TensorIterator and Loop: a body that runs again and again.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { SubGraph } from '../../graph/sub-graph.ts';
import { toFloat64, toIntegers } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Control, defineOp } from '../define-op.ts';
import { evaluateControl } from '../evaluate-model.ts';
import { type Facts, inputFact, knownIntegers } from '../fact.ts';
import { canUnroll, unroll } from './expand-loop.ts';
import { inferLoopBody, loopOutputs, slicedIterations } from './infer-body.ts';
import { type Ending, iterate } from './iterate.ts';

const attributes = z.object({ body: z.instanceof(SubGraph) });

type Attributes = z.infer<typeof attributes>;

const mostInputs = 65536;
const ir = {
  write: () => ({}),
  subGraphs: { body: { body: 'body', portMap: 'port_map', backEdges: 'back_edges' } },
} as const;

/** Iterations of a TensorIterator: its sliced inputs decide. */
function piecesOf(a: Attributes, inputs: Facts): number {
  const count = slicedIterations(a.body, inputs);
  if (count !== undefined) return count;
  throw new LowpError('ERR_OP_INPUTS', 'none of its inputs is cut into pieces, so nothing says how often it runs');
}

/**
 * Runs the body once for each piece of its sliced inputs. Back edges carry results into the next iteration; outputs are
 * results of the last iteration, or those of all iterations side by side.
 */
export const tensorIterator = defineOp<Attributes>({
  type: 'TensorIterator',
  opset: 'opset1',
  attributes,
  inputs: [1, mostInputs],
  strings: true,
  infer: (a, inputs) => {
    inferLoopBody(a.body, inputs);
    return loopOutputs(a.body, piecesOf(a, inputs));
  },
  evaluate: (a, present, all) => evaluateControl(iterate(a.body, all ?? present, endless)),
  control: (a, inputs) => iterate(a.body, inputs, endless),
  expand: (a, node, expansion) => {
    const count = piecesOf(a, factsOfInputs(node));
    return canUnroll(a.body, count) ? unroll(a.body, node, expansion, count) : undefined;
  },
  ir,
});

const endless: Ending = { most: Number.POSITIVE_INFINITY, begins: true };

function factsOfInputs(node: Node): Facts {
  return node.inputs.map((i) => i.source?.fact);
}

/** Iterations of a Loop when trip count and conditions are known; else -1. */
function trips(a: Attributes, inputs: Facts): number {
  const [count, begins] = [knownIntegers(inputs[0])?.[0], knownIntegers(inputs[1])?.[0]];
  if (begins === 0) return 0;
  const condition = a.body.outputs.find((m) => m.purpose === 'execution_condition');
  const value = condition && a.body.body.results()[condition.internal]!.source(0)!.fact.value;
  const goesOn = condition === undefined || (value && toFloat64(value)[0] !== 0);
  const pieces = slicedIterations(a.body, inputs);
  if (begins === undefined || !goesOn || count === undefined || pieces === -1) return -1;
  return Math.min(count < 0 ? Number.POSITIVE_INFINITY : count, pieces ?? Number.POSITIVE_INFINITY);
}

function ending(inputs: readonly (Tensor | undefined)[]): Ending {
  const most = toIntegers(inputs[0]!)[0]!;
  return { most: most < 0 ? Number.POSITIVE_INFINITY : most, begins: toFloat64(inputs[1]!)[0] !== 0 };
}

function run(a: Attributes, inputs: readonly (Tensor | undefined)[]): Control {
  return iterate(a.body, inputs, ending(inputs));
}

/**
 * Runs the body at most `input 0` times (−1: without limit), as long as `input 1` and then the execution condition of the
 * body are true. Ports as those of TensorIterator; a parameter of the body may be the number of the iteration.
 */
export const loop = defineOp<Attributes>({
  type: 'Loop',
  opset: 'opset5',
  attributes,
  inputs: [2, mostInputs],
  strings: true,
  infer: (a, inputs) => {
    for (const i of [0, 1]) {
      const { shape } = inputFact(inputs, i);
      const isOne = shape.length === 0 || (shape.length === 1 && (shape[0] === 1 || shape[0]! < 0));
      if (!isOne)
        throw new LowpError('ERR_SHAPE_RANK', `input ${i} is the ${i === 0 ? 'trip count' : 'condition'}: one number`);
    }
    inferLoopBody(a.body, inputs);
    const count = trips(a, inputs);
    if (count === Number.POSITIVE_INFINITY) throw new LowpError('ERR_OP_INPUTS', 'nothing ever ends the loop');
    return loopOutputs(a.body, count);
  },
  evaluate: (a, present, all) => evaluateControl(run(a, all ?? present)),
  control: run,
  expand: (a, node, expansion) => {
    const count = trips(a, factsOfInputs(node));
    return canUnroll(a.body, count) ? unroll(a.body, node, expansion, count) : undefined;
  },
  ir,
});
