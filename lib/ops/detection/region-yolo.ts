// RegionYolo: activations of the numbers that a YOLO network says about the boxes of each cell.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact, Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape, isStatic, normalizeAxis } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, floatList, int, intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, inputFact, requireRank } from '../fact.ts';

const attributes = z.object({
  /** Numbers of a box: 4. */
  coords: int,
  classes: int,
  /** Boxes of a cell; with `do_softmax` false as many as `mask` has entries. */
  num: int,
  do_softmax: bool.default(true),
  mask: intList.default([]),
  axis: int,
  end_axis: int,
  /** Not used here: who reads the output needs them. */
  anchors: floatList.default([]),
});

type Attributes = z.infer<typeof attributes>;

function regionsOf(a: Attributes): number {
  return a.do_softmax ? a.num : a.mask.length;
}

function infer(a: Attributes, inputs: Facts): Fact[] {
  const { type, shape } = inputFact(inputs, 0);
  requireRank(shape, 4);
  const channels = regionsOf(a) * (a.coords + a.classes + 1);
  const given = shape[1]!;
  if (given >= 0 && (a.do_softmax ? given !== channels : given < channels)) {
    const text = `${regionsOf(a)} boxes of ${a.coords + a.classes + 1} numbers need ${channels} channels`;
    throw new LowpError('ERR_SHAPE_MISMATCH', `${text}, the input has shape ${formatShape(shape)}`);
  }
  if (!a.do_softmax) return [{ type, shape: shape.with(1, channels) }];
  const [first, last] = [normalizeAxis(a.axis, 4), normalizeAxis(a.end_axis, 4)];
  if (last < first) throw new LowpError('ERR_OP_ATTRIBUTE', `axis ${a.axis} is behind end_axis ${a.end_axis}`);
  const joined = shape.slice(first, last + 1);
  const size = joined.some((d) => d < 0) ? -1 : elementCount(joined);
  return [{ type, shape: [...shape.slice(0, first), size, ...shape.slice(last + 1)] }];
}

function sigmoid(values: Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i] = 1 / (1 + Math.exp(-values[i]!));
}

/** Softmax over `channels` planes of `area` numbers. */
function softmax(values: Float64Array, channels: number, area: number): void {
  for (let i = 0; i < area; i++) {
    let most = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < channels; c++) most = Math.max(most, values[c * area + i]!);
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += Math.exp(values[c * area + i]! - most);
    for (let c = 0; c < channels; c++) values[c * area + i] = Math.exp(values[c * area + i]! - most) / sum;
  }
}

function evaluate(a: Attributes, [x]: readonly Tensor[]): Tensor[] {
  const { type, shape } = infer(a, factsOf([x]))[0]!;
  const [batch, channels, height, width] = x!.shape as [number, number, number, number];
  const area = height * width;
  const box = (a.coords + a.classes + 1) * area;
  const size = regionsOf(a) * box;
  const data = toFloat64(x!);
  const out = new Float64Array(batch * size);
  for (let n = 0; n < batch; n++) {
    out.set(data.subarray(n * channels * area, n * channels * area + size), n * size);
    for (let r = 0; r < regionsOf(a); r++) {
      const own = out.subarray(n * size + r * box, n * size + (r + 1) * box);
      sigmoid(own.subarray(0, 2 * area));
      sigmoid(own.subarray(a.coords * area, a.do_softmax ? (a.coords + 1) * area : box));
      if (a.do_softmax) softmax(own.subarray((a.coords + 1) * area), a.classes, area);
    }
  }
  return [fromFloat64(out, shape, type)];
}

/** Number `i` of a box goes through a sigmoid. */
function isActivated(a: Attributes, i: number): boolean {
  return i < 2 || i >= a.coords;
}

/** Everything goes through a sigmoid, and sizes are put back: nothing is cut into parts. */
function expandSigmoids(a: Attributes, x: OutputPort, e: Expansion): OutputPort {
  const numbers = a.coords + a.classes + 1;
  const channels = regionsOf(a) * numbers;
  const given = x.fact.shape[1]!;
  const own = given === channels ? x : e.parts(x, 1, [channels, given - channels], 'own')[0]!;
  const activated = Array.from({ length: channels }, (_, c) => (isActivated(a, c % numbers) ? 1 : 0));
  const condition = e.constant('boolean', [1, channels, 1, 1], activated, 'activated');
  return e.add('Select', [condition, e.add('Sigmoid', [own], {}, 'sigmoid'), own], {}, 'select');
}

function expandSoftmax(a: Attributes, x: OutputPort, shape: readonly number[], e: Expansion): OutputPort {
  const [batch, , height, width] = x.fact.shape as [number, number, number, number];
  const boxes = e.reshape(x, [batch, a.num, a.coords + a.classes + 1, height * width], 'boxes');
  const [center, sizes, object, classes] = e.parts(boxes, 2, [2, a.coords - 2, 1, a.classes], 'parts');
  const numbers = [
    e.add('Sigmoid', [center!], {}, 'center'),
    sizes!,
    e.add('Sigmoid', [object!], {}, 'object'),
    e.add('SoftMax', [classes!], { axis: 2 }, 'classes'),
  ];
  return e.reshape(e.concat(numbers, 2, 'numbers'), shape, 'result');
}

function expand(a: Attributes, node: Node, e: Expansion): OutputPort[] | undefined {
  const x = node.source(0)!;
  const { type, shape } = x.fact;
  if (type !== 'f32' || !isStatic(shape) || a.coords <= 2 || a.classes < 1 || regionsOf(a) < 1) return undefined;
  return [a.do_softmax ? expandSoftmax(a, x, node.output.fact.shape, e) : expandSigmoids(a, x, e)];
}

/**
 * For each box of each cell x, y, w, h, objectness and classes, as planes of [N, boxes · (coords + 1 + classes), H, W].
 * x, y and objectness go through a sigmoid; classes through a softmax, flattened from `axis` to `end_axis` (YOLO v2), or
 * through sigmoids (v3), where only the first `mask.length` boxes remain.
 */
export const regionYolo = defineOp({
  type: 'RegionYolo',
  opset: 'opset1',
  attributes,
  inputs: [1, 1],
  infer,
  evaluate,
  expand,
});
