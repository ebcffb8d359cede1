// Loops as IR files have them and ONNX does not: parts of several elements, ranges, joins along any axis, numbers with axes.
import { inputName, type Model } from '../../lib/graph/model.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { type BackEdge, type PortMapping, type Slicing, SubGraph } from '../../lib/graph/sub-graph.ts';
import { createNode } from '../../lib/ops/index.ts';
import { elementCount } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { ModelBuilder } from './model-builder.ts';

export interface LoopModel {
  readonly name: string;
  readonly model: Model;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

interface Loop {
  readonly type: 'TensorIterator' | 'Loop';
  readonly body: ModelBuilder;
  /** Values of the iterations, in the order of the results. */
  readonly results: readonly OutputPort[];
  readonly inputs: readonly PortMapping[];
  readonly outputs: readonly PortMapping[];
  readonly backEdges?: readonly BackEdge[];
}

/** Adds the loop and a result for each of its outputs. */
function addLoop(b: ModelBuilder, ports: readonly OutputPort[], loop: Loop): Model {
  for (const [i, port] of loop.results.entries()) loop.body.result(port, `result.${i}`);
  const body = new SubGraph(loop.body.model, loop.inputs, loop.outputs, loop.backEdges);
  const { outputs } = createNode(b.model, { type: loop.type, name: 'loop', attributes: { body }, inputs: ports });
  for (const [i, port] of outputs.entries()) b.result(port, `y${i}`);
  return b.model;
}

/** A model with feeds that count from 1. */
function counted(name: string, model: Model, given: Readonly<Record<string, Tensor>> = {}): LoopModel {
  const feeds: Record<string, Tensor> = {};
  for (const parameter of model.parameters()) {
    const { type, shape: declared } = parameter.output.fact;
    const shape = declared.map((d) => (d < 0 ? 3 : d));
    const values = Array.from({ length: elementCount(shape) }, (_, i) => i + 1);
    feeds[inputName(parameter)] = given[inputName(parameter)] ?? tensor(type, shape, values);
  }
  return { name, model, feeds };
}

/** sum += piece along `axis` of x; all sums joined, and the last one. `type` Loop: at most `m` times. */
function summing(
  x: readonly number[],
  slicing: Slicing,
  join: Slicing,
  type: 'TensorIterator' | 'Loop' = 'TensorIterator',
): Model {
  const b = new ModelBuilder();
  const body = new ModelBuilder('body');
  const piece = x.with(slicing.axis, slicing.partSize);
  const counts = type === 'Loop' ? [b.parameter('m', [], 'i64'), b.constant('go', [], [1], 'boolean')] : [];
  const first = counts.length;
  const ports = [...counts, b.parameter('x', x), b.parameter('start', piece)];
  const sum = body.op('Add', [body.parameter('piece', piece), body.parameter('before', piece)]);
  return addLoop(b, ports, {
    type,
    body,
    results: [sum],
    inputs: [
      { external: first, internal: 0, slicing },
      { external: first + 1, internal: 1 },
    ],
    outputs: [
      { external: 0, internal: 0, slicing: join },
      { external: 1, internal: 0 },
    ],
    backEdges: [{ from: 0, to: 1 }],
  });
}

const forwards = { start: 0, end: -1, stride: 1, partSize: 1 };
const backwards = { start: -1, end: 0, stride: -1, partSize: 1 };

/** Joins along axis 1 from the end, counts in i32 with an axis, and gives a value that is not carried, and one twice. */
function counting(): Model {
  const b = new ModelBuilder();
  const body = new ModelBuilder('body');
  const ports = [
    b.parameter('m', [1], 'i64'),
    b.parameter('go', [1], 'boolean'),
    b.parameter('s', [2, 2]),
    b.parameter('k', [1]),
  ];
  const [s, k, i] = [body.parameter('s', [2, 2]), body.parameter('k', [1]), body.parameter('i', [1], 'i32')];
  const number = body.op('Convert', [i], { destination_type: 'f32' });
  const step = body.op('Multiply', [number, k]);
  const next = body.op('Add', [s, step]);
  const limit = body.op('ReduceSum', [next, body.constant('axes', [2], [0, 1], 'i64')], { keep_dims: false });
  const goesOn = body.op('Less', [limit, body.constant('most', [1], [1000])]);
  return addLoop(b, ports, {
    type: 'Loop',
    body,
    results: [goesOn, next, step],
    inputs: [
      { external: 2, internal: 0 },
      { external: 3, internal: 1 },
      { external: -1, internal: 2, purpose: 'current_iteration' },
    ],
    outputs: [
      { external: -1, internal: 0, purpose: 'execution_condition' },
      { external: 0, internal: 1 },
      { external: 1, internal: 1 },
      { external: 2, internal: 2 },
      { external: 3, internal: 1, slicing: { axis: 1, ...backwards } },
    ],
    backEdges: [{ from: 1, to: 0 }],
  });
}

/** No condition, and a value from outside as it is. */
function unconditional(): Model {
  const b = new ModelBuilder();
  const body = new ModelBuilder('body');
  const ports = [b.constant('m', [], [4], 'i64'), b.constant('go', [], [1], 'boolean'), b.parameter('s', [1, 3])];
  const s = body.parameter('s', [1, 3]);
  return addLoop(b, ports, {
    type: 'Loop',
    body,
    results: [body.op('Add', [s, s]), s],
    inputs: [{ external: 2, internal: 0 }],
    outputs: [
      { external: 0, internal: 0 },
      { external: 1, internal: 1, slicing: { axis: 0, ...forwards } },
    ],
    backEdges: [{ from: 0, to: 0 }],
  });
}

/** New models with each call. */
export function loopModels(): LoopModel[] {
  const parts = (stride: number) => ({
    axis: 1,
    start: stride > 0 ? 0 : -1,
    end: stride > 0 ? -1 : 0,
    stride,
    partSize: 2,
  });
  const loopOver = (x: readonly number[], slicing: Slicing) => summing(x, slicing, slicing, 'Loop');
  const trips = (count: number) => ({ m: tensor('i64', [], [count]) });
  const m = { m: tensor('i64', [1], [3]), go: tensor('boolean', [1], [1]) };
  return [
    counted('parts of two', summing([2, 6], parts(2), parts(2))),
    counted('parts of two from the end', summing([2, 6], parts(-2), parts(-2))),
    counted('a range', summing([5, 2], { ...forwards, axis: 0, start: 1, end: 3 }, { ...forwards, axis: 0 })),
    counted(
      'a range from the end',
      summing([5, 2], { ...backwards, axis: 0, start: -2, end: 1 }, { ...forwards, axis: 0 }),
    ),
    counted('any number of pieces', summing([2, -1], { ...forwards, axis: 1 }, { ...backwards, axis: 1 })),
    counted('a counted loop', counting(), m),
    counted('a loop without limit', counting(), { ...m, m: tensor('i64', [1], [-1]) }),
    counted('a loop without a condition', unconditional()),
    counted('a loop over pieces', loopOver([2, 4], { ...forwards, axis: 1 }), trips(9)),
    counted('a loop that ends before the pieces', loopOver([2, 4], { ...forwards, axis: 1 }), trips(3)),
    counted('a loop over parts of two from the end', loopOver([2, 6], parts(-2)), trips(-1)),
    counted('a loop over a range', loopOver([5, 2], { ...forwards, axis: 0, start: 1, end: 3 }), trips(-1)),
    counted('a loop over any number of pieces', loopOver([2, -1], { ...backwards, axis: 1 }), trips(7)),
  ];
}
