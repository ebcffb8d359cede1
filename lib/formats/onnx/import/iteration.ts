/** Bodies that run again and again as the body of a Loop or a TensorIterator. */
import { addConstant, removeNode } from '../../../graph/edit.ts';
import type { Model } from '../../../graph/model.ts';
import type { Fact, OutputPort } from '../../../graph/node.ts';
import { type PortMapping, type Slicing, SubGraph } from '../../../graph/sub-graph.ts';
import { createNode } from '../../../ops/create-node.ts';
import { commonShape, hasRank, normalizeAxis, type Shape, sameShape } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { GraphProto } from '../onnx_pb.ts';
import { addResult, mapCaptures, neededCaptures } from './branch.ts';
import type { ImportNode, ReadBody } from './import-node.ts';
import { describe, isTensor, portsOf, type Value, withPorts } from './values.ts';

/** An axis along which a value is cut into iterations, or joined from them. */
export interface Cut {
  readonly axis: number;
  /** From the last element to the first. */
  readonly isReversed: boolean;
}

/** A node with a body that is repeated. */
export interface Iteration {
  /** The body of a Loop has the number of the iteration and a condition in front of its inputs, a condition as output. */
  readonly type: 'Loop' | 'TensorIterator';
  readonly graph: GraphProto;
  /** Inputs of the operation in front of all others. */
  readonly heads: readonly OutputPort[];
  /** What the first iteration is given by the node, and each other one by the iteration before. */
  readonly carried: readonly Value[];
  readonly cut: readonly (Cut & { readonly port: OutputPort })[];
  readonly joined: readonly Cut[];
}

/** A body with the parameters that its node feeds. */
interface Ports {
  readonly body: ReadBody;
  readonly number: OutputPort | undefined;
  readonly carried: readonly OutputPort[];
  readonly pieces: readonly OutputPort[];
}

/**
 * Adds the operation; returns its outputs: carried values behind the last iteration, then joined ones.
 *
 * Shapes of carried values are inside of the body what they are in every iteration: a body that changes a size is read
 * again with that dimension dynamic, since what it computes from a shape may have become a constant.
 */
export function iterate(n: ImportNode, it: Iteration): Value[] {
  let shapes: readonly Shape[] = it.carried.flatMap(portsOf).map((p) => p.fact.shape);
  for (;;) {
    const ports = readBody(n, it, shapes);
    const next = carriedOutputs(n, it, ports.body).flatMap(portsOf);
    const merged = shapes.map((shape, i) => commonShape(shape, next[i]!.fact.shape));
    if (merged.every((shape, i) => sameShape(shape, shapes[i]!))) return addOperation(n, it, ports);
    shapes = merged;
  }
}

function readBody(n: ImportNode, it: Iteration, shapes: readonly Shape[]): Ports {
  const isLoop = it.type === 'Loop';
  const names = it.graph.input.map((i) => i.name);
  const given = it.carried.flatMap(portsOf);
  let number: OutputPort | undefined;
  const carried: OutputPort[] = [];
  const pieces: OutputPort[] = [];
  const body = n.bodies.separate(it.graph, (model) => {
    if (isLoop) number = parameter(model, names[0]!, { type: 'i64', shape: [] });
    for (const [i, port] of given.entries()) {
      carried.push(parameter(model, `carried.${i}`, { type: port.fact.type, shape: shapes[i]! }));
    }
    const values: Value[] = withPorts(it.carried, carried);
    for (const [i, { port, axis }] of it.cut.entries()) {
      const { type, shape } = port.fact;
      const piece = parameter(model, `piece.${i}`, { type, shape: shape.with(axis, 1) });
      pieces.push(piece);
      values.push(onAxis(model, 'Squeeze', piece, axis));
    }
    if (!number) return values;
    // An iteration begins only while the condition is true.
    return [number, addConstant(model, 'condition', tensor('boolean', [], [1])).output, ...values];
  });
  return { body, number, carried, pieces };
}

function parameter(model: Model, name: string, { type, shape }: Fact): OutputPort {
  const attributes = { element_type: type, shape: [...shape] };
  return createNode(model, { type: 'Parameter', name, attributes, inputs: [] }).output;
}

function onAxis(model: Model, type: 'Squeeze' | 'Unsqueeze', port: OutputPort, axis: number): OutputPort {
  const name = `${port.node.name}/${type}`;
  const axes = addConstant(model, `${name}/axes`, tensor('i64', [1], [axis])).output;
  return createNode(model, { type, name, inputs: [port, axes] }).output;
}

/** What the next iteration is given: of the structure that this one was given. */
function carriedOutputs(n: ImportNode, it: Iteration, body: ReadBody): readonly Value[] {
  const first = it.type === 'Loop' ? 1 : 0;
  return it.carried.map((given, i) => {
    const value = body.outputs[first + i]!;
    if (describe(given) === describe(value)) return value;
    return n.unsupported(
      `a value that iterations pass on begins as ${describe(given)} and becomes ${describe(value)}; ` +
        'the number of iterations must be a constant for it to be followed',
    );
  });
}

function addOperation(n: ImportNode, it: Iteration, { body, number, carried, pieces }: Ports): Value[] {
  const { model } = body;
  const isLoop = it.type === 'Loop';
  const next = carriedOutputs(n, it, body).flatMap(portsOf);
  const results = [...(isLoop ? [tensorOf(n, body.outputs[0]!)] : []), ...next];
  const lead = results.length - next.length;
  for (const [i, { axis }] of it.joined.entries()) {
    const value = tensorOf(n, body.outputs[lead + it.carried.length + i]!);
    const { shape } = value.fact;
    if (!hasRank(shape) && axis < 0) n.unsupported(`values of an unknown rank are joined on axis ${axis}`);
    results.push(onAxis(model, 'Unsqueeze', value, hasRank(shape) ? normalizeAxis(axis, shape.length + 1) : axis));
  }
  for (const [i, port] of results.entries()) addResult(model, port, i);
  const captures = neededCaptures(body);
  const isCounted = number !== undefined && number.consumers.size > 0;
  if (number && !isCounted) removeNode(model, number.node);
  const outside = captures.map((c) => c.outside);
  const inputs = [...it.heads, ...it.carried.flatMap(portsOf), ...it.cut.map((c) => c.port), ...outside];
  const at = (port: OutputPort) => model.parameters().indexOf(port.node);
  const [firstCarried, firstPiece] = [it.heads.length, it.heads.length + carried.length];
  const inputMap: PortMapping[] = [
    ...(number && isCounted ? [{ external: -1, internal: at(number), purpose: 'current_iteration' as const }] : []),
    ...carried.map((port, i) => ({ external: firstCarried + i, internal: at(port) })),
    ...pieces.map((port, i) => ({ external: firstPiece + i, internal: at(port), slicing: slicingOf(it.cut[i]!) })),
    ...mapCaptures(model, captures, outside, firstPiece + pieces.length),
  ];
  const outputMap: PortMapping[] = results.map((port, i) => {
    if (i < lead) return { external: -1, internal: i, purpose: 'execution_condition' };
    const cut = it.joined[i - lead - carried.length];
    if (!cut) return { external: i - lead, internal: i };
    const { shape } = port.fact;
    const axis = hasRank(shape) ? normalizeAxis(cut.axis, shape.length) : cut.axis;
    return { external: i - lead, internal: i, slicing: slicingOf({ ...cut, axis }) };
  });
  const backEdges = carried.map((port, i) => ({ from: lead + i, to: at(port) }));
  const ports = n.addAll(it.type, { body: new SubGraph(model, inputMap, outputMap, backEdges) }, inputs);
  return [...withPorts(it.carried, ports), ...ports.slice(carried.length)];
}

function tensorOf(n: ImportNode, value: Value): OutputPort {
  if (isTensor(value)) return value;
  return n.unsupported(`its body gives ${describe(value)} where a tensor is joined; only tensors can be`);
}

function slicingOf({ axis, isReversed }: Cut): Slicing {
  const [start, end, stride] = isReversed ? [-1, 0, -1] : [0, -1, 1];
  return { axis, start, end, stride, partSize: 1 };
}
