// FakeQuantize: rounds to a grid of levels and back, in floats.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { autoBroadcast, int } from '../attribute.ts';
import { expandedStrides, requireOneWay, stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, inputFact } from '../fact.ts';
import { roundHalfToEven } from '../rounding.ts';
import { canLowerFakeQuantize, lowerFakeQuantize } from './lower.ts';

const attributes = z.object({
  levels: int.refine((n) => n >= 2, 'at least 2 levels are expected'),
  auto_broadcast: autoBroadcast,
});

function infer(a: z.infer<typeof attributes>, inputs: Facts) {
  const [x, ...limits] = [0, 1, 2, 3, 4].map((i) => inputFact(inputs, i));
  const type = commonType(x!, ...limits);
  for (const limit of limits) {
    if (a.auto_broadcast === 'none' && limit.shape.length > 0 && limit.shape.length !== x!.shape.length) {
      throw new LowpError('ERR_SHAPE_MISMATCH', 'limits must have the shape of the data when they are not broadcast');
    }
    requireOneWay(limit.shape, x!.shape);
  }
  return [{ type, shape: x!.shape }];
}

/**
 * One element, each operation rounded by `f` in the order of the formula: to float32, or not at all for doubles. The
 * saturation tests use the given limits in either order; NaN passes.
 */
export function fakeQuantize(
  x: number,
  il: number,
  ih: number,
  ol: number,
  oh: number,
  levels: number,
  f: (v: number) => number = Math.fround,
): number {
  if (x <= Math.min(il, ih)) return ol;
  if (x > Math.max(il, ih)) return oh;
  const q = roundHalfToEven(f(f(f(x - il) / f(ih - il)) * (levels - 1)));
  return f(f(f(q / (levels - 1)) * f(oh - ol)) + ol);
}

function evaluate(levels: number, x: Tensor, limits: readonly Tensor[]): Tensor {
  const data = toFloat64(x);
  const f = x.type === 'f64' ? (v: number) => v : Math.fround;
  const [il, ih, ol, oh] = limits.map((l) => toFloat64(l)) as [Float64Array, Float64Array, Float64Array, Float64Array];
  if (limits.every((l) => elementCount(l.shape) === 1)) {
    for (let i = 0; i < data.length; i++) data[i] = fakeQuantize(data[i]!, il[0]!, ih[0]!, ol[0]!, oh[0]!, levels, f);
    return fromFloat64(data, x.shape, x.type);
  }
  const [a, b, c, d] = limits.map((l) => stridedOffsets(x.shape, expandedStrides(l.shape, x.shape))) as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  for (let i = 0; i < data.length; i++) {
    data[i] = fakeQuantize(data[i]!, il[a[i]!]!, ih[b[i]!]!, ol[c[i]!]!, oh[d[i]!]!, levels, f);
  }
  return fromFloat64(data, x.shape, x.type);
}

/**
 * Inputs: x, input_low, input_high, output_low, output_high; the limits expand to x.
 *
 * `x <= low ? output_low : x > high ? output_high : round((x − il) / (ih − il) · (levels − 1)) / (levels − 1) · (oh − ol) + ol`,
 * rounded half to even, in float32, or in doubles when x is f64.
 *
 * @see OpenVINO FakeQuantize-1
 */
export const fakeQuantizeOp = defineOp({
  type: 'FakeQuantize',
  opset: 'opset1',
  attributes,
  inputs: [5, 5],
  lower: lowerFakeQuantize,
  canLower: canLowerFakeQuantize,
  infer,
  evaluate: (a, [x, ...limits]) => {
    infer(a, [x, ...limits]);
    return [evaluate(a.levels, x!, limits)];
  },
});
