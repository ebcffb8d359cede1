// FakeConvert: rounds to the values of an 8-bit float.
import * as z from 'zod';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { enumeration } from '../attribute.ts';
import { expandedStrides, stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { inputFact } from '../fact.ts';
import { roundHalfToEven } from '../rounding.ts';

/** Bits of the mantissa, least exponent of a normal number, largest finite value. */
const formats = {
  f8e4m3: { mantissa: 3, least: -6, most: 448 },
  f8e5m2: { mantissa: 2, least: -14, most: 57344 },
} as const;

/** The nearest value of the format, ties to the even one; beyond its range the largest value. */
function rounded(x: number, { mantissa, least, most }: (typeof formats)[keyof typeof formats]): number {
  if (x === 0 || Number.isNaN(x)) return x;
  const exponent = Math.max(least, Math.floor(Math.log2(Math.abs(x))));
  const step = 2 ** (exponent - mantissa);
  return Math.min(most, Math.max(-most, roundHalfToEven(x / step) * step));
}

function spread(t: Tensor | undefined, shape: Tensor['shape'], otherwise: number): (i: number) => number {
  if (!t) return () => otherwise;
  const values = toFloat64(t);
  const offsets = stridedOffsets(shape, expandedStrides(t.shape, shape));
  return (i) => values[offsets[i]!]!;
}

/** `(round(x · scale − shift) + shift) / scale`. Inputs: x, scale, shift (optional); both broadcast to x. */
export const fakeConvert = defineOp({
  type: 'FakeConvert',
  opset: 'opset13',
  attributes: z.object({ destination_type: enumeration(['f8e4m3', 'f8e5m2']) }),
  inputs: [2, 3],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    return [{ type, shape }];
  },
  evaluate: (a, present, all) => {
    const [x, scale, shift] = all ?? present;
    const format = formats[a.destination_type];
    const factor = spread(scale, x!.shape, 1);
    const summand = spread(shift, x!.shape, 0);
    const out = toFloat64(x!).map((v, i) => (rounded(v * factor(i) - summand(i), format) + summand(i)) / factor(i));
    return [fromFloat64(out, x!.shape, x!.type)];
  },
});
