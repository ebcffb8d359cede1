// GRN, RMS and GroupNormalization: divided by a root mean square, or by mean and deviation of groups.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, isStatic } from '../../tensor/shape.ts';
import { elementType, float, int } from '../attribute.ts';
import { viewAround } from '../axes.ts';
import { defineOp } from '../define-op.ts';
import { commonType, inputFact, requireRank } from '../fact.ts';

/** `y = x / √(Σ_c x² + bias)` over axis 1. */
export const grn = defineOp({
  type: 'GRN',
  opset: 'opset1',
  attributes: z.object({ bias: float }),
  inputs: [1, 1],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    requireRank(shape, 2, 4);
    return [{ type, shape }];
  },
  evaluate: (a, [x]) => {
    const { outer, size, inner } = viewAround(x!.shape, 1);
    const values = toFloat64(x!);
    const out = new Float64Array(values.length);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let sum = a.bias;
        for (let c = 0; c < size; c++) sum += values[(o * size + c) * inner + i]! ** 2;
        const root = Math.sqrt(sum);
        for (let c = 0, at = o * size * inner + i; c < size; c++, at += inner) out[at] = values[at]! / root;
      }
    }
    return [fromFloat64(out, x!.shape, x!.type)];
  },
  expand: (a, node, e) => {
    const x = node.source(0)!;
    const axes = e.constant('i64', [1], [1], 'axes');
    const squares = e.add('Multiply', [x, x], {}, 'squares');
    const sum = e.add('ReduceSum', [squares, axes], { keep_dims: true }, 'sum');
    const biased = e.add('Add', [sum, e.constant(x.fact.type, [], [a.bias], 'bias')], {}, 'biased');
    return [e.add('Divide', [x, e.add('Sqrt', [biased], {}, 'root')], {}, 'quotient')];
  },
});

/** `y = x / √(mean x² + epsilon) · gamma` over the last axis. Inputs: x, gamma (optional). */
export const rms = defineOp({
  type: 'RMS',
  opset: 'opset14',
  attributes: z.object({ epsilon: float, output_type: elementType.optional() }),
  inputs: [1, 2],
  infer: (a, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    requireRank(shape, 1, Number.POSITIVE_INFINITY);
    return [{ type: a.output_type ?? type, shape }];
  },
  evaluate: (a, present, all) => {
    const [x, gamma] = all ?? present;
    const size = x!.shape.at(-1)!;
    const factors = gamma ? toFloat64(gamma) : Float64Array.of(1);
    if (factors.length !== 1 && factors.length !== size) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `gamma has ${factors.length} elements for rows of ${size}`);
    }
    const values = toFloat64(x!);
    const out = new Float64Array(values.length);
    for (let from = 0; from < values.length; from += size) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += values[from + i]! ** 2;
      const root = Math.sqrt(sum / size + a.epsilon);
      for (let i = 0; i < size; i++) {
        out[from + i] = (values[from + i]! / root) * factors[factors.length === 1 ? 0 : i]!;
      }
    }
    return [fromFloat64(out, x!.shape, a.output_type ?? x!.type)];
  },
  expand: (a, node, e) => {
    const x = node.source(0)!;
    if (x.fact.type !== node.output.fact.type) return undefined;
    const squares = e.add('Multiply', [x, x], {}, 'squares');
    const axes = e.constant('i64', [1], [-1], 'axes');
    const mean = e.add('ReduceMean', [squares, axes], { keep_dims: true }, 'mean');
    const biased = e.add('Add', [mean, e.constant(x.fact.type, [], [a.epsilon], 'epsilon')], {}, 'biased');
    const quotient = e.add('Divide', [x, e.add('Sqrt', [biased], {}, 'root')], {}, 'quotient');
    const gamma = node.source(1);
    return [gamma ? e.add('Multiply', [quotient, gamma], {}, 'scaled') : quotient];
  },
});

/**
 * Every group of `C / num_groups` channels of a sample gets mean 0 and variance 1 (`epsilon` under the root), then every
 * channel its scale and bias. Inputs: x `[N, C, …]`, scale `[C]`, bias `[C]`.
 */
export const groupNormalization = defineOp({
  type: 'GroupNormalization',
  opset: 'opset12',
  attributes: z.object({ num_groups: int, epsilon: float }),
  inputs: [3, 3],
  infer: (a, inputs) => {
    const [x, scale, bias] = [0, 1, 2].map((i) => inputFact(inputs, i)) as [ReturnType<typeof inputFact>, never, never];
    requireRank(x.shape, 2, Number.POSITIVE_INFINITY);
    const channels = x.shape[1]!;
    if (a.num_groups < 1 || (channels >= 0 && channels % a.num_groups !== 0)) {
      throw new LowpError('ERR_OP_ATTRIBUTE', `${channels} channels do not make ${a.num_groups} groups`);
    }
    return [{ type: commonType(x, scale, bias), shape: x.shape }];
  },
  evaluate: (a, [x, scale, bias]) => {
    const [samples, channels] = x!.shape as [number, number];
    const inner = elementCount(x!.shape.slice(2));
    const size = (channels / a.num_groups) * inner;
    const [values, factors, summands] = [toFloat64(x!), toFloat64(scale!), toFloat64(bias!)];
    const out = new Float64Array(values.length);
    for (let group = 0; group < samples * a.num_groups; group++) {
      const part = values.subarray(group * size, (group + 1) * size);
      const mean = part.reduce((s, v) => s + v, 0) / size;
      const variance = part.reduce((s, v) => s + (v - mean) ** 2, 0) / size;
      const root = Math.sqrt(variance + a.epsilon);
      for (let i = 0; i < size; i++) {
        const channel = Math.floor((group * size + i) / inner) % channels;
        out[group * size + i] = ((part[i]! - mean) / root) * factors[channel]! + summands[channel]!;
      }
    }
    return [fromFloat64(out, x!.shape, x!.type)];
  },
  expand: (a, node, e) => {
    const [x, scale, bias] = [0, 1, 2].map((i) => node.source(i)!) as [typeof node.output, never, never];
    const { shape } = x.fact;
    if (!isStatic(shape) || elementCount(shape) === 0) return undefined;
    const perChannel = [1, shape[1]!, ...shape.slice(2).map(() => 1)];
    const groups = e.reshape(x, [shape[0]!, a.num_groups, elementCount(shape) / (shape[0]! * a.num_groups)], 'groups');
    const attributes = { normalize_variance: true, eps: a.epsilon, eps_mode: 'inside_sqrt' };
    const even = e.add('MVN', [groups, e.constant('i64', [1], [2], 'axes')], attributes, 'normalized');
    const whole = e.reshape(even, shape, 'whole');
    const scaled = e.add('Multiply', [whole, e.reshape(scale, perChannel, 'scale')], {}, 'scaled');
    return [e.add('Add', [scaled, e.reshape(bias, perChannel, 'bias')], {}, 'shifted')];
  },
});
