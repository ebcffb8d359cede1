// DeformableColumns: what the taps of a deformable convolution read, as the rows of a matrix.
import * as z from 'zod';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, int, intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { inputFact } from '../fact.ts';
import { ownSet } from '../registry.ts';

const attributes = z.object({
  kernel: intList,
  strides: intList,
  dilations: intList,
  pads_begin: intList,
  output: intList,
  deformable_group: int,
  /** Positions up to one element outside of the image are mixed with zeros; else they count as zero. */
  bilinear_interpolation_pad: bool,
});

/** Geometry of the taps over two spatial axes. */
export type ColumnAttributes = z.infer<typeof attributes>;

/** Reads a plane between its elements; `padded` mixes with zeros outside, else the last row and column go on. */
function bilinear(plane: Float64Array, height: number, width: number, y: number, x: number, padded: boolean): number {
  const margin = padded ? 1 : 0;
  if (!(y > -1 && x > -1 && y < height && x < width) || y < -margin || x < -margin) return 0;
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const at = (r: number, c: number): number => {
    if (!padded) return plane[Math.min(r, height - 1) * width + Math.min(c, width - 1)]!;
    return r < 0 || c < 0 || r >= height || c >= width ? 0 : plane[r * width + c]!;
  };
  const [dy, dx] = [y - top, x - left];
  const row = (r: number): number => at(r, left) * (1 - dx) + at(r, left + 1) * dx;
  return row(top) * (1 - dy) + row(top + 1) * dy;
}

/** Fills an array with the row of a place: all channels of the first tap, then those of the next one. */
export type RowOf = (place: number, row: Float64Array) => void;

/** The rows for x, offsets and an optional mask. */
export function columnRows(a: ColumnAttributes, x: Tensor, offsets: Tensor, mask: Tensor | undefined): RowOf {
  const [values, moves, factors] = [toFloat64(x), toFloat64(offsets), mask && toFloat64(mask)];
  const [channels, height, width] = x.shape.slice(1) as [number, number, number];
  const [rows, columns] = a.output as [number, number];
  const [area, kernelWidth, taps] = [rows * columns, a.kernel[1]!, a.kernel[0]! * a.kernel[1]!];
  const perGroup = channels / a.deformable_group;
  return (place, out) => {
    const [n, at] = [Math.floor(place / area), place % area];
    const [row, column] = [Math.floor(at / columns), at % columns];
    for (let i = 0; i < out.length; i++) {
      const [k, c] = [Math.floor(i / channels), i % channels];
      const tap = (n * a.deformable_group + Math.floor(c / perGroup)) * taps + k;
      const y = row * a.strides[0]! - a.pads_begin[0]! + Math.floor(k / kernelWidth) * a.dilations[0]!;
      const z = column * a.strides[1]! - a.pads_begin[1]! + (k % kernelWidth) * a.dilations[1]!;
      const plane = values.subarray((n * channels + c) * height * width);
      const [dy, dz] = [moves[2 * tap * area + at]!, moves[(2 * tap + 1) * area + at]!];
      const read = bilinear(plane, height, width, y + dy, z + dz, a.bilinear_interpolation_pad);
      out[i] = read * (factors ? factors[tap * area + at]! : 1);
    }
  };
}

function sizeOf(a: ColumnAttributes, batch: number, channels: number): [number, number] {
  return [batch * a.output[0]! * a.output[1]!, a.kernel[0]! * a.kernel[1]! * channels];
}

/**
 * Row `(n, p)`, column `(k, c)`: `mask[n, k, p] · x(n, c, p · stride − pad + k · dilation + offset[n, k, p])`. What a
 * deformable convolution becomes, in front of a product with its weights. Inputs as those of DeformableConvolution,
 * without the weights; output `[N · places, taps · C]`.
 */
export const deformableColumns = defineOp({
  type: 'DeformableColumns',
  opset: ownSet,
  attributes,
  inputs: [2, 3],
  infer: (a, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape: sizeOf(a, shape[0]!, shape[1]!) }];
  },
  evaluate: (a, [x, offsets, mask]) => {
    const shape = sizeOf(a, x!.shape[0]!, x!.shape[1]!);
    const rowOf = columnRows(a, x!, offsets!, mask);
    const out = new Float64Array(shape[0] * shape[1]);
    for (let place = 0; place < shape[0]; place++) rowOf(place, out.subarray(place * shape[1], (place + 1) * shape[1]));
    return [fromFloat64(out, shape, x!.type)];
  },
  lower: (a, node, context) => {
    const [batch, channels, height, width] = node.source(0)!.fact.shape as [number, number, number, number];
    const mask = node.source(2) ? [context.float(node, 2, 'plain')] : [];
    context.builder.call(
      'deformable_columns',
      {
        ...{ batch, channels, height, width, groups: a.deformable_group },
        ...{ kernelHeight: a.kernel[0]!, kernelWidth: a.kernel[1]!, outHeight: a.output[0]!, outWidth: a.output[1]! },
        ...{ strideHeight: a.strides[0]!, strideWidth: a.strides[1]! },
        ...{ padTop: a.pads_begin[0]!, padLeft: a.pads_begin[1]! },
        ...{ dilationHeight: a.dilations[0]!, dilationWidth: a.dilations[1]! },
        padded: a.bilinear_interpolation_pad ? 1 : 0,
      },
      {
        name: node.name,
        in: [context.float(node, 0, 'channelsLast'), context.float(node, 1, 'plain'), ...mask],
        out: [context.placeFloat(node.output, 'plain').buffer],
      },
    );
  },
});
