// Interpolate, revisions 4 and 11: resizes axes to given sizes or by given scales.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { toFloat64 } from '../../tensor/convert.ts';
import { normalizeAxis } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, enumeration, float, intList } from '../attribute.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { type Facts, factsOf, factsOfNode, inputFact, knownIntegers } from '../fact.ts';
import { coordinateModes, nearestModes, type ResizedAxis } from './coordinates.ts';
import { canLowerResize, lowerResize, resizeRuntime } from './lower-resize.ts';
import { padWithZeros, type ResizeRule, type Resizing, resize } from './resize.ts';

const attributes4 = z.object({
  mode: enumeration(['nearest', 'linear', 'linear_onnx', 'cubic']),
  shape_calculation_mode: enumeration(['sizes', 'scales']),
  coordinate_transformation_mode: enumeration(coordinateModes).default('half_pixel'),
  nearest_mode: enumeration(nearestModes).default('round_prefer_floor'),
  antialias: bool.default(false),
  pads_begin: intList.default([]),
  pads_end: intList.default([]),
  cube_coeff: float.default(-0.75),
});

const attributes11 = attributes4.extend({
  mode: enumeration(['nearest', 'linear', 'linear_onnx', 'cubic', 'bilinear_pillow', 'bicubic_pillow']),
});

type Attributes = z.infer<typeof attributes11>;

/** Input ports of sizes, scales and axes. */
interface Ports {
  readonly sizes: number;
  readonly scales: number;
  readonly axes: number;
}

function padding(list: readonly number[], rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => list[i] ?? 0);
}

/** Sizes with padding, and for each resized axis what happens to it; undefined while an input is not known. */
function plan(a: Attributes, ports: Ports, inputs: Facts): { padded: number[]; axes?: Map<number, ResizedAxis> } {
  const { shape } = inputFact(inputs, 0);
  const [begin, end] = [padding(a.pads_begin, shape.length), padding(a.pads_end, shape.length)];
  if ([...begin, ...end].some((p) => p < 0)) throw new LowpError('ERR_OP_ATTRIBUTE', 'padding cannot be negative');
  const padded = shape.map((d, i) => (d < 0 ? -1 : d + begin[i]! + end[i]!));
  const byScale = a.shape_calculation_mode === 'scales';
  const operand = inputFact(inputs, byScale ? ports.scales : ports.sizes).value;
  const listed = inputs[ports.axes] ? knownIntegers(inputs[ports.axes]) : shape.map((_, i) => i);
  if (!operand || !listed) return { padded };
  const values = toFloat64(operand);
  if (values.length !== listed.length) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `${values.length} ${a.shape_calculation_mode} for ${listed.length} axes`);
  }
  const axes = new Map<number, ResizedAxis>();
  for (const [i, listedAxis] of listed.entries()) {
    const axis = normalizeAxis(listedAxis, shape.length);
    const from = padded[axis]!;
    const value = values[i]!;
    if (!(value > 0)) throw new LowpError('ERR_OP_INPUTS', `axis ${axis} is resized to ${value}`);
    if (byScale) axes.set(axis, { from, to: from < 0 ? -1 : Math.floor(Math.fround(from * value)), scale: value });
    else axes.set(axis, { from, to: value, scale: value / from });
  }
  return { padded, axes };
}

/** @throws {LowpError} `ERR_OP_UNSUPPORTED` for the modes of the Pillow library */
function supportedMode(a: Attributes): ResizeRule['mode'] {
  if (a.mode !== 'bilinear_pillow' && a.mode !== 'bicubic_pillow') return a.mode;
  throw new LowpError('ERR_OP_UNSUPPORTED', `the mode ${a.mode} is not supported`);
}

function infer(a: Attributes, ports: Ports, inputs: Facts) {
  const { type } = inputFact(inputs, 0);
  const { padded, axes } = plan(a, ports, inputs);
  supportedMode(a);
  const known = knownIntegers(inputs[ports.axes])?.map((axis) => normalizeAxis(axis, padded.length));
  return [{ type, shape: padded.map((d, i) => axes?.get(i)?.to ?? (axes || (known && !known.includes(i)) ? d : -1)) }];
}

/** What the node does; undefined while an input that decides it is not known. */
function resizing(a: Attributes, ports: Ports, inputs: Facts): Resizing | undefined {
  const { padded, axes } = plan(a, ports, inputs);
  if (!axes) return undefined;
  return {
    axes: new Map([...axes].filter(([, axis]) => axis.to !== axis.from || axis.scale !== 1)),
    rule: {
      mode: supportedMode(a),
      coordinates: a.coordinate_transformation_mode,
      nearest: a.nearest_mode,
      antialias: a.antialias,
      cubeCoefficient: a.cube_coeff,
    },
    pads: padded.some((d, i) => d !== inputFact(inputs, 0).shape[i]),
  };
}

function evaluate(a: Attributes, ports: Ports, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  const x = inputs[0]!;
  const { axes, rule } = resizing(a, ports, factsOf(inputs))!;
  const rank = x.shape.length;
  return [resize(padWithZeros(x, padding(a.pads_begin, rank), padding(a.pads_end, rank)), axes, rule)];
}

function define(
  opset: string,
  attributes: z.ZodType<Attributes>,
  ports: Ports,
  inputs: readonly [number, number],
): OpDef {
  return defineOp<Attributes>({
    type: 'Interpolate',
    opset,
    attributes,
    inputs,
    infer: (a, facts) => infer(a, ports, facts),
    evaluate: (a, present, optional) => evaluate(a, ports, optional ?? present),
    lower: (a, node, context) => lowerResize(node, context, resizing(a, ports, factsOfNode(node))!),
    canLower: (a, node) => canLowerResize(node, resizing(a, ports, factsOfNode(node))),
    runtime: resizeRuntime,
    quantization: { quantizedPorts: [0] },
  });
}

/** Inputs: data, sizes, scales, optional axes (all); `shape_calculation_mode` says which of the two is used. */
export const interpolate4 = define('opset4', attributes4, { sizes: 1, scales: 2, axes: 3 }, [3, 4]);

/** Inputs: data, sizes or scales, optional axes. */
export const interpolate11 = define('opset11', attributes11, { sizes: 1, scales: 1, axes: 2 }, [2, 3]);
