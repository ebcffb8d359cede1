// Types and shapes of bodies: what flows in gives their parameters, and loops are followed until nothing changes.
import { LowpError } from '../../errors/lowp-error.ts';
import { setAttributes } from '../../graph/edit.ts';
import type { Fact, Node } from '../../graph/node.ts';
import type { PortMapping, SubGraph } from '../../graph/sub-graph.ts';
import { commonShape, hasRank, normalizeAxis, type Shape, sameShape } from '../../tensor/shape.ts';
import { type Facts, inputFact } from '../fact.ts';
import { inferModel } from '../infer-model.ts';
import { isSliced, pieceCount } from './slicing.ts';

/** Gives a parameter of a body its type and shape. */
function setParameter(parameter: Node, type: Fact['type'], shape: Shape): void {
  setAttributes(parameter, { ...parameter.attributes, element_type: type, shape: [...shape] });
  parameter.output.fact = { type, shape };
}

/** What the body sees of an input of the node. */
function seen(mapping: PortMapping, inputs: Facts): { type: Fact['type']; shape: Shape } {
  const { type, shape } = inputFact(inputs, mapping.external);
  if (!isSliced(mapping) || !hasRank(shape)) return { type, shape };
  return { type, shape: shape.with(normalizeAxis(mapping.slicing.axis, shape.length), mapping.slicing.partSize) };
}

/** Infers a body that runs once for the inputs of its node. */
export function inferBranch(sub: SubGraph, inputs: Facts): void {
  for (const mapping of sub.inputs) {
    const { type, shape } = seen(mapping, inputs);
    setParameter(sub.body.parameters()[mapping.internal]!, type, shape);
  }
  inferModel(sub.body);
}

/**
 * Infers the body of a loop: a value that changes its size from iteration to iteration has a dynamic dimension, one that
 * changes its rank has no known rank.
 *
 * @throws {LowpError} `ERR_TYPE_MISMATCH` when a value changes its type
 */
export function inferLoopBody(sub: SubGraph, inputs: Facts): void {
  const { body } = sub;
  for (const mapping of sub.inputs) {
    const parameter = body.parameters()[mapping.internal]!;
    if (mapping.external < 0) continue;
    const { type, shape } = seen(mapping, inputs);
    setParameter(parameter, type, shape);
  }
  for (;;) {
    inferModel(body);
    let isStable = true;
    for (const { from, to } of sub.backEdges) {
      const parameter = body.parameters()[to]!;
      const given = parameter.output.fact;
      const merged = merge(given, body.results()[from]!.source(0)!.fact, parameter.name);
      if (sameShape(merged, given.shape)) continue;
      setParameter(parameter, given.type, merged);
      isStable = false;
    }
    if (isStable) return;
  }
}

function merge(given: Fact, next: Fact, name: string): Shape {
  if (given.type !== next.type) {
    throw new LowpError('ERR_TYPE_MISMATCH', `'${name}' of the body begins as ${given.type} and becomes ${next.type}`);
  }
  return commonShape(given.shape, next.shape);
}

/** Iterations that the sliced inputs ask for; -1 when a size is dynamic, undefined when nothing is sliced. */
export function slicedIterations(sub: SubGraph, inputs: Facts): number | undefined {
  let known: number | undefined;
  for (const mapping of sub.inputs) {
    if (!isSliced(mapping)) continue;
    const { shape } = inputFact(inputs, mapping.external);
    const size = hasRank(shape) ? shape[normalizeAxis(mapping.slicing.axis, shape.length)]! : -1;
    const count = size < 0 ? -1 : pieceCount(mapping.slicing, size);
    if (known !== undefined && known >= 0 && count >= 0 && known !== count) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `its inputs are cut into ${known} and ${count} pieces`);
    }
    known = Math.max(known ?? -1, count);
  }
  return known;
}

/** The facts of the outputs of a loop behind `iterations`, -1 when that is not known. */
export function loopOutputs(sub: SubGraph, iterations: number): Fact[] {
  const facts: Fact[] = [];
  for (const mapping of sub.outputs) {
    if (mapping.external < 0) continue;
    const { type, shape } = sub.body.results()[mapping.internal]!.source(0)!.fact;
    facts[mapping.external] = {
      type,
      shape: isSliced(mapping) ? joined(shape, mapping.slicing.axis, iterations) : shape,
    };
  }
  return facts;
}

function joined(shape: Shape, axis: number, iterations: number): Shape {
  if (!hasRank(shape)) return shape;
  const at = normalizeAxis(axis, shape.length);
  return shape.with(at, iterations < 0 || shape[at]! < 0 ? -1 : shape[at]! * iterations);
}
