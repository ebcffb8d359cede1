// DeformableConvolution, both revisions: a convolution whose taps are moved by offsets that are computed.
import type * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool, int } from '../attribute.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { commonType, type Facts, factsOf, inputFact, requireRank } from '../fact.ts';
import { resolveWindow } from '../window.ts';
import { convolutionAttributes } from './geometry.ts';

const attributes = convolutionAttributes.extend({
  group: int.default(1),
  deformable_group: int.default(1),
  /** Positions up to one element outside of the image are mixed with zeros; else they count as zero. */
  bilinear_interpolation_pad: bool.default(false),
});

type Attributes = z.infer<typeof attributes>;

function geometry(a: Attributes, inputs: Facts) {
  const [x, offsets, w] = [inputFact(inputs, 0), inputFact(inputs, 1), inputFact(inputs, 2)];
  for (const fact of [x, offsets, w]) requireRank(fact.shape, 4);
  const window = resolveWindow(a, x.shape.slice(2), w.shape.slice(2));
  const taps = elementCount(w.shape.slice(2));
  const fits = (have: number, want: number): boolean => have < 0 || want < 0 || have === want;
  const [channels, outputs] = [x.shape[1]!, w.shape[0]!];
  const misfit =
    !fits(channels, w.shape[1]! * a.group) ||
    !fits(offsets.shape[1]!, 2 * taps * a.deformable_group) ||
    (inputs[3] && !fits(inputs[3].shape[1]!, taps * a.deformable_group)) ||
    outputs % a.group !== 0 ||
    (channels >= 0 && channels % a.deformable_group !== 0) ||
    !offsets.shape.slice(2).every((d, i) => fits(d, window.output[i]!));
  if (misfit) {
    const [data, moved, weights] = [x, offsets, w].map((f) => formatShape(f.shape));
    throw new LowpError('ERR_SHAPE_MISMATCH', `data ${data}, offsets ${moved} and weights ${weights} do not fit`);
  }
  return { window, taps, type: commonType(x, offsets, w), shape: [x.shape[0]!, outputs, ...window.output] };
}

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

function convolve(a: Attributes, inputs: readonly Tensor[]): Tensor {
  const { window: w, taps, type, shape } = geometry(a, factsOf(inputs));
  const [x, offsets, weights, mask] = inputs.map(toFloat64);
  const [batch, outputs, rows, columns] = shape as [number, number, number, number];
  const [channels, height, width] = inputs[0]!.shape.slice(1) as [number, number, number];
  const area = rows * columns;
  const [perGroup, perDeform] = [channels / a.group, channels / a.deformable_group];
  const [kernelWidth, padded] = [w.kernel[1]!, a.bilinear_interpolation_pad];
  /** Samples of all channels and taps at each place: the columns of an ordinary product. */
  const samples = new Float64Array(channels * taps);
  const out = new Float64Array(elementCount(shape));
  for (let place = 0; place < batch * area; place++) {
    const [n, at] = [Math.floor(place / area), place % area];
    const [row, column] = [Math.floor(at / columns), at % columns];
    for (let i = 0; i < samples.length; i++) {
      const [c, k] = [Math.floor(i / taps), i % taps];
      const tap = (n * a.deformable_group + Math.floor(c / perDeform)) * taps + k;
      const y = row * w.strides[0]! - w.padsBegin[0]! + Math.floor(k / kernelWidth) * w.dilations[0]!;
      const z = column * w.strides[1]! - w.padsBegin[1]! + (k % kernelWidth) * w.dilations[1]!;
      const plane = x!.subarray((n * channels + c) * height * width);
      const [dy, dz] = [offsets![2 * tap * area + at]!, offsets![(2 * tap + 1) * area + at]!];
      samples[i] = bilinear(plane, height, width, y + dy, z + dz, padded) * (mask ? mask[tap * area + at]! : 1);
    }
    for (let o = 0; o < outputs; o++) {
      const group = Math.floor((o * a.group) / outputs);
      let sum = 0;
      for (let i = 0; i < perGroup * taps; i++)
        sum += weights![o * perGroup * taps + i]! * samples[group * perGroup * taps + i]!;
      out[(n * outputs + o) * area + at] = sum;
    }
  }
  return fromFloat64(out, shape, type);
}

/**
 * `y[n, o, p] = Σ_c Σ_k w[o, c, k] · mask[n, k, p] · x(n, c, p · stride − pad + k · dilation + offset[n, k, p])`, x read
 * between its elements. Inputs: x `[N, C, H, W]`, offsets `[N, 2 · taps · deformable groups, out…]` as (y, x) pairs,
 * weights `[O, C / group, kernel…]`, since revision 8 an optional mask `[N, taps · deformable groups, out…]`.
 */
function define(opset: string, most: number): OpDef {
  return defineOp({
    type: 'DeformableConvolution',
    opset,
    attributes,
    inputs: [3, most],
    infer: (a, inputs) => {
      const { type, shape } = geometry(a, inputs);
      return [{ type, shape }];
    },
    evaluate: (a, inputs) => [convolve(a, inputs)],
  });
}

export const deformableConvolution: readonly OpDef[] = [define('opset1', 3), define('opset8', 4)];
