// Interpolate of opset 1: resizes the axes that an attribute lists.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { normalizeAxis, type Shape } from '../../tensor/shape.ts';
import { bool, enumeration, int, intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, factsOfNode, inputFact, knownIntegers } from '../fact.ts';
import type { ResizedAxis } from './coordinates.ts';
import { canLowerResize, lowerResize, resizeRuntime } from './lower-resize.ts';
import { padWithZeros, type Resizing, resize } from './resize.ts';

const attributes = z.object({
  axes: intList,
  mode: enumeration(['nearest', 'linear', 'cubic', 'area']),
  align_corners: bool.default(true),
  antialias: bool.default(false),
  pads_begin: int.default(0),
  pads_end: int.default(0),
});

type Attributes = z.infer<typeof attributes>;

/** The padding of each axis: the listed ones have the same. */
function padding(a: Attributes, amount: number, shape: Shape): number[] {
  const axes = a.axes.map((axis) => normalizeAxis(axis, shape.length));
  return shape.map((_, i) => (axes.includes(i) ? amount : 0));
}

function plan(a: Attributes, inputs: Facts): { padded: number[]; axes: Map<number, ResizedAxis> } {
  const { shape } = inputFact(inputs, 0);
  if (a.mode === 'area') throw new LowpError('ERR_OP_UNSUPPORTED', 'the mode area is not supported');
  const [begin, end] = [padding(a, a.pads_begin, shape), padding(a, a.pads_end, shape)];
  const padded = shape.map((d, i) => (d < 0 ? -1 : d + begin[i]! + end[i]!));
  const sizes = knownIntegers(inputFact(inputs, 1));
  if (sizes && sizes.length !== a.axes.length) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `${sizes.length} sizes for ${a.axes.length} axes`);
  }
  const axes = new Map<number, ResizedAxis>();
  for (const [i, listed] of a.axes.entries()) {
    const axis = normalizeAxis(listed, shape.length);
    const to = sizes?.[i] ?? -1;
    if (sizes && to < 1) throw new LowpError('ERR_OP_INPUTS', `axis ${axis} is resized to ${to}`);
    axes.set(axis, { from: padded[axis]!, to, scale: to / padded[axis]! });
  }
  return { padded, axes };
}

function infer(a: Attributes, inputs: Facts) {
  const { padded, axes } = plan(a, inputs);
  return [{ type: inputFact(inputs, 0).type, shape: padded.map((d, i) => axes.get(i)?.to ?? d) }];
}

/** Two-dimensional or simpler resizing of trailing axes needs no triangle filter. */
function isPlainLinear(a: Attributes, rank: number): boolean {
  return !a.antialias && rank < 5 && a.axes.every((axis) => normalizeAxis(axis, rank) >= 2);
}

/** What the node does; `ERR_*` as `plan`. */
function resizing(a: Attributes, inputs: Facts): Resizing {
  const { padded, axes } = plan(a, inputs);
  const linear = isPlainLinear(a, padded.length) ? 'linear_onnx' : 'linear';
  return {
    axes: new Map([...axes].filter(([, axis]) => axis.from !== axis.to)),
    rule: {
      mode: a.mode === 'nearest' || a.mode === 'cubic' ? a.mode : linear,
      coordinates: a.align_corners ? 'align_corners' : 'asymmetric',
      nearest: 'simple',
      antialias: a.antialias,
      cubeCoefficient: -0.75,
    },
    pads: a.axes.length > 0 && (a.pads_begin !== 0 || a.pads_end !== 0),
  };
}

/** What a node with constant sizes does. */
function nodeResizing(a: Attributes, node: Node): Resizing | undefined {
  return knownIntegers(node.source(1)?.fact) && resizing(a, factsOfNode(node));
}

/**
 * Inputs: data, sizes of the listed axes. As Interpolate-4 with coordinates `align_corners` or `asymmetric` and the
 * nearest mode `simple`.
 */
export const interpolate1 = defineOp({
  type: 'Interpolate',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  infer,
  evaluate: (a, inputs) => {
    const x = inputs[0]!;
    const { axes, rule } = resizing(a, factsOf(inputs));
    return [resize(padWithZeros(x, padding(a, a.pads_begin, x.shape), padding(a, a.pads_end, x.shape)), axes, rule)];
  },
  lower: (a, node, context) => lowerResize(node, context, nodeResizing(a, node)!),
  canLower: (a, node) => canLowerResize(node, nodeResizing(a, node)),
  runtime: resizeRuntime,
  quantization: { quantizedPorts: [0] },
});
