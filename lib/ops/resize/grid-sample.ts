// GridSample: reads an image, or a volume, at positions that a second tensor names.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape, type Shape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, enumeration } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, mergeSizes } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { roundHalfToEven } from '../rounding.ts';

const attributes = z.object({
  align_corners: bool.default(false),
  mode: enumeration(['bilinear', 'bicubic', 'nearest']).default('bilinear'),
  padding_mode: enumeration(['zeros', 'border', 'reflection']).default('zeros'),
});

type Attributes = z.infer<typeof attributes>;

function infer(inputs: Facts) {
  const [x, grid] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const spatial = x.shape.length - 2;
  if (
    spatial < 1 ||
    grid.shape.length !== x.shape.length ||
    (grid.shape.at(-1)! >= 0 && grid.shape.at(-1) !== spatial)
  ) {
    const [data, places] = [formatShape(x.shape), formatShape(grid.shape)];
    throw new LowpError('ERR_SHAPE_RANK', `the grid ${places} does not fit the data ${data}`);
  }
  const batch = mergeSizes(x.shape[0]!, grid.shape[0]!, 'batch');
  return [{ type: x.type, shape: [batch, x.shape[1]!, ...grid.shape.slice(1, -1)] }];
}

/** Reflects a coordinate at the limits until it lies between them. */
function reflect(x: number, low: number, high: number): number {
  const range = high - low;
  if (range <= 0) return low;
  const distance = Math.abs(x - low);
  const turns = Math.floor(distance / range);
  const rest = distance - turns * range;
  return turns % 2 === 0 ? low + rest : high - rest;
}

/** The four weights of a cubic with a = −0.75 at fraction `t`. */
function cubicWeights(t: number): number[] {
  const a = -0.75;
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

/** Positions and weights on one axis for a coordinate in pixels; -1 for a position outside that counts as zero. */
function taps(a: Attributes, coordinate: number, size: number): [position: number, weight: number][] {
  const [low, high] = a.align_corners ? [0, size - 1] : [-0.5, size - 0.5];
  const inside = (position: number): number => {
    if (position >= 0 && position < size) return position;
    if (a.padding_mode === 'zeros') return -1;
    if (a.padding_mode === 'border') return Math.min(Math.max(position, 0), size - 1);
    return Math.min(Math.max(Math.round(reflect(position, low!, high!)), 0), size - 1);
  };
  const folded =
    a.padding_mode === 'reflection' && a.mode !== 'bicubic' ? reflect(coordinate, low!, high!) : coordinate;
  const at = a.padding_mode === 'border' && a.mode !== 'bicubic' ? Math.min(Math.max(folded, 0), size - 1) : folded;
  if (a.mode === 'nearest') return [[inside(roundHalfToEven(at)), 1]];
  const base = Math.floor(at);
  if (a.mode === 'bicubic') return cubicWeights(at - base).map((weight, i) => [inside(base - 1 + i), weight]);
  return [
    [inside(base), 1 - (at - base)],
    [inside(base + 1), at - base],
  ];
}

function sample(a: Attributes, x: Tensor, grid: Tensor): Tensor {
  const { shape } = infer(factsOf([x, grid]))[0]!;
  const spatial: Shape = x.shape.slice(2);
  const strides = stridesOf(spatial);
  const [area, places] = [elementCount(spatial), elementCount(shape.slice(2))];
  const [values, points] = [toFloat64(x), toFloat64(grid)];
  const out = new Float64Array(elementCount(shape));
  const [batch, channels] = [shape[0]!, shape[1]!];
  const pixel = (v: number, size: number): number =>
    a.align_corners ? ((v + 1) / 2) * (size - 1) : ((v + 1) * size - 1) / 2;
  for (let n = 0; n < batch; n++) {
    for (let p = 0; p < places; p++) {
      const from = (n * places + p) * spatial.length;
      // The grid names the last axis first.
      const axes = spatial.map((size, i) => taps(a, pixel(points[from + spatial.length - 1 - i]!, size), size));
      let reads: [offset: number, weight: number][] = [[0, 1]];
      for (const [i, list] of axes.entries()) {
        reads = reads.flatMap(([offset, weight]) =>
          list.flatMap(([at, w]): [number, number][] => (at < 0 ? [] : [[offset + at * strides[i]!, weight * w]])),
        );
      }
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (const [offset, weight] of reads) sum += values[(n * channels + c) * area + offset]! * weight;
        out[(n * channels + c) * places + p] = sum;
      }
    }
  }
  return fromFloat64(out, shape, x.type);
}

/** The kernel sees volumes: an image is a volume of depth 1, a line one of height 1. */
function lower(a: Attributes, node: Node, context: LowerContext): void {
  const [batch, channels, ...spatial] = node.source(0)!.fact.shape as [number, number, ...number[]];
  const [depth, height, width] = [...new Array<number>(3 - spatial.length).fill(1), ...spatial];
  context.builder.call(
    'grid_sample',
    {
      ...{ batch, channels, depth: depth!, height: height!, width: width! },
      places: elementCount(node.output.fact.shape.slice(2)),
      axes: spatial.length,
      mode: ['bilinear', 'bicubic', 'nearest'].indexOf(a.mode),
      padding: ['zeros', 'border', 'reflection'].indexOf(a.padding_mode),
      align: a.align_corners ? 1 : 0,
    },
    {
      name: node.name,
      in: [context.float(node, 0, 'channelsLast'), context.float(node, 1, 'plain')],
      out: [context.placeFloat(node.output, 'channelsLast').buffer],
    },
  );
}

/**
 * Inputs: data `[N, C, spatial…]`, grid `[N, out…, axes]` of coordinates in [-1, 1], the last axis first. −1 and 1 are
 * the middles of the corner elements with `align_corners`, else their outer edges.
 */
export const gridSample = defineOp({
  type: 'GridSample',
  opset: 'opset9',
  attributes,
  inputs: [2, 2],
  infer: (_, inputs) => infer(inputs),
  evaluate: (a, [x, grid]) => [sample(a, x!, grid!)],
  lower,
  canLower: (_, node) => node.source(0)!.fact.shape.length <= 5,
});
