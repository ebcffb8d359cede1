// ExtractImagePatches: the windows of an image as channels.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import { enumeration, intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, requireRank } from '../fact.ts';
import { take } from './take.ts';

const attributes = z.object({
  sizes: intList,
  strides: intList,
  rates: intList,
  auto_pad: enumeration(['valid', 'same_upper', 'same_lower']),
});

type Attributes = z.infer<typeof attributes>;

/** Number of windows along one axis, and the padding in front of it. */
function windows(a: Attributes, axis: number, size: number): { count: number; begin: number } {
  const [kernel, stride, rate] = [a.sizes[axis]!, a.strides[axis]!, a.rates[axis]!];
  const reach = (kernel - 1) * rate + 1;
  if (size < 0) return { count: -1, begin: 0 };
  if (a.auto_pad === 'valid') return { count: Math.max(0, Math.floor((size - reach) / stride) + 1), begin: 0 };
  const count = Math.ceil(size / stride);
  const padding = Math.max(0, (count - 1) * stride + reach - size);
  return { count, begin: a.auto_pad === 'same_upper' ? Math.floor(padding / 2) : Math.ceil(padding / 2) };
}

function infer(a: Attributes, inputs: Facts): Fact[] {
  const { type, shape } = inputFact(inputs, 0);
  requireRank(shape, 4);
  for (const [name, list] of Object.entries({ sizes: a.sizes, strides: a.strides, rates: a.rates })) {
    if (list.length === 2 && list.every((v) => v >= 1)) continue;
    throw new LowpError('ERR_OP_ATTRIBUTE', `${name} = ${list.join(',')}, expected two positive numbers`);
  }
  const [n, c, h, w] = shape as [number, number, number, number];
  const depth = c < 0 ? -1 : c * a.sizes[0]! * a.sizes[1]!;
  return [{ type, shape: [n, depth, windows(a, 0, h).count, windows(a, 1, w).count] }];
}

/** `y[n, (row · width + column) · C + c, p, q]` is element `[row, column]` of window `[p, q]` of channel c; zero outside. */
export const extractImagePatches = defineOp({
  type: 'ExtractImagePatches',
  opset: 'opset3',
  attributes,
  inputs: [1, 1],
  infer,
  evaluate: (a, inputs) => {
    const x = inputs[0]!;
    const [{ shape }] = infer(a, factsOf(inputs)) as [Fact];
    const [, channels, height, width] = x.shape as [number, number, number, number];
    const [samples, depth, rows, columns] = shape as [number, number, number, number];
    const [top, left] = [windows(a, 0, height).begin, windows(a, 1, width).begin];
    const source = new Int32Array(elementCount(shape));
    let out = 0;
    for (let n = 0; n < samples; n++) {
      for (let d = 0; d < depth; d++) {
        const inside = Math.floor(d / channels);
        const plane = (n * channels + (d % channels)) * height * width;
        const [dy, dx] = [Math.floor(inside / a.sizes[1]!) * a.rates[0]!, (inside % a.sizes[1]!) * a.rates[1]!];
        for (let p = 0; p < rows; p++) {
          const y = p * a.strides[0]! - top + dy;
          for (let q = 0; q < columns; q++) {
            const at = q * a.strides[1]! - left + dx;
            const isInside = y >= 0 && y < height && at >= 0 && at < width;
            source[out++] = isInside ? plane + y * width + at : -1;
          }
        }
      }
    }
    return [take(x, shape, source)];
  },
});
