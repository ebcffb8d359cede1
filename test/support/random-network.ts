// Random small networks for properties: a list of steps, each of which does something to values that exist already.
import fc from 'fast-check';
import type { Model } from '../../lib/graph/model.ts';
import type { OutputPort } from '../../lib/graph/node.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { ModelBuilder } from './model-builder.ts';

/** One step: what is done, to which of the values so far (counted from the last one), and numbers that shape it. */
export interface Step {
  readonly kind: Kind;
  /** 0 is the newest value. */
  readonly source: number;
  readonly other: number;
  readonly size: number;
  readonly window: number;
  readonly flags: number;
  /** Quantizers in front, when the network is built with them. */
  readonly quantizer: number;
}

/** A whole network; the same plan gives the same model. */
export interface NetworkPlan {
  readonly input: Shape;
  readonly steps: readonly Step[];
  readonly seed: number;
}

/** How a plan is built. */
export interface NetworkOptions {
  /** Put FakeQuantize nodes in front of operations and behind values, as the steps say. */
  readonly quantizers?: boolean;
}

const kinds = [
  'convolution',
  'groups',
  'depthwise',
  'relu',
  'clamp',
  'sigmoid',
  'erf',
  'bias',
  'add',
  'multiply',
  'concat',
  'maxPool',
  'avgPool',
  'mean',
  'slice',
  'split',
  'pad',
  'transpose',
  'reshape',
  'matMul',
  'softMax',
  'prelu',
] as const;
type Kind = (typeof kinds)[number];

const small = fc.nat({ max: 1023 });

/** Plans of at most `length` steps. */
export function networkPlans(length: number): fc.Arbitrary<NetworkPlan> {
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom(...kinds, 'convolution', 'convolution', 'depthwise', 'relu', 'add', 'concat'),
    source: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 5 }) }),
    other: fc.nat({ max: 7 }),
    size: small,
    window: small,
    flags: small,
    quantizer: small,
  });
  return fc.record({
    input: fc.constantFrom<Shape[]>([1, 3, 8, 8], [2, 4, 7, 6], [1, 1, 9, 5], [1, 16, 6, 6], [2, 2, 10], [1, 20, 4, 4]),
    steps: fc.array(step, { minLength: 1, maxLength: length }),
    seed: small,
  });
}

/** Builds the model of a plan; values that nobody reads, and sometimes one more, are its outputs. */
export function buildNetwork(plan: NetworkPlan, options: NetworkOptions = {}): Model {
  const builder = new NetworkBuilder(plan, options.quantizers ?? false);
  return builder.build();
}

/** Bit `i` of a number. */
function bit(value: number, i: number): boolean {
  return ((value >> i) & 1) === 1;
}

class NetworkBuilder {
  private readonly b: ModelBuilder;
  private readonly plan: NetworkPlan;
  private readonly quantizers: boolean;
  private readonly values: OutputPort[] = [];

  constructor(plan: NetworkPlan, quantizers: boolean) {
    this.b = new ModelBuilder('random', plan.seed + 1);
    this.plan = plan;
    this.quantizers = quantizers;
  }

  build(): Model {
    this.values.push(this.b.parameter('x', this.plan.input));
    for (const step of this.plan.steps) {
      const x = this.values.at(-1 - (step.source % this.values.length))!;
      for (const y of this.apply(step, this.quantized(x, step))) this.values.push(y);
    }
    for (const [i, value] of this.values.entries()) {
      const extra = i > 0 && (this.plan.seed + i) % 7 === 0;
      if (value.consumers.size === 0 || extra) this.b.result(value, `result${i}`);
    }
    return this.b.model;
  }

  private apply(step: Step, x: OutputPort): readonly OutputPort[] {
    const { shape } = x.fact;
    const isImage = shape.length === 3 || shape.length === 4;
    switch (step.kind) {
      case 'convolution':
      case 'groups':
      case 'depthwise':
        return isImage ? this.convolution(step, x) : [];
      case 'relu':
        return [this.b.op('ReLU', [x])];
      case 'clamp':
        return [this.b.op('Clamp', [x], { min: -0.5 + (step.size % 5) / 10, max: 0.75 })];
      case 'sigmoid':
        return [this.b.op('Sigmoid', [x])];
      case 'erf':
        return [this.b.op('Erf', [x])];
      case 'bias':
        return [this.b.op('Add', this.swapped(step, x, this.operand(step, shape)), {}, 'bias')];
      case 'multiply':
        return [this.b.op('Multiply', this.swapped(step, x, this.operand(step, shape)), {}, 'scale')];
      case 'add':
        return this.sum(step, x);
      case 'concat':
        return this.concat(step, x);
      case 'maxPool':
      case 'avgPool':
        return isImage ? this.pool(step, x) : [];
      case 'mean':
        return isImage ? this.mean(step, x) : [];
      case 'slice':
        return shape.length > 0 ? this.slice(step, x) : [];
      case 'split':
        return this.split(step, x);
      case 'pad':
        return shape.length > 0 && elementCount(shape) < 3000 ? this.pad(step, x) : [];
      case 'transpose':
        return shape.length > 1 ? this.transpose(step, x) : [];
      case 'reshape':
        return this.reshape(step, x);
      case 'matMul':
        return shape.length > 1 && shape.at(-1)! <= 200 ? this.matMul(step, x) : [];
      case 'prelu':
        return shape.length > 0
          ? [this.b.op('PReLU', [x, this.b.weights('slope', bit(step.flags, 0) ? [1] : shape.slice(1, 2))])]
          : [];
      case 'softMax':
        return shape.length > 0 ? [this.b.op('SoftMax', [x], { axis: step.size % shape.length })] : [];
    }
  }

  private swapped(step: Step, x: OutputPort, y: OutputPort): OutputPort[] {
    return bit(step.flags, 9) ? [y, x] : [x, y];
  }

  /** A constant that broadcasts to a shape: one number, a channel vector, trailing axes, everything. */
  private operand(step: Step, shape: Shape): OutputPort {
    const rank = shape.length;
    const forms: Shape[] = [
      shape.map((d, i) => (i === 1 ? d : 1)),
      [],
      shape,
      shape.slice(Math.min(1, rank)),
      shape.slice(Math.max(0, rank - 1)),
      shape.slice(Math.max(0, rank - 2)),
      shape.map((d, i) => (i === 1 ? 1 : d)),
      shape.map((d, i) => (i === rank - 1 ? 1 : d)),
    ];
    return this.b.weights('operand', forms[step.size % forms.length]!);
  }

  private convolution(step: Step, x: OutputPort): OutputPort[] {
    const [, channels = 1, ...spatial] = x.fact.shape;
    const kernel = spatial.map((d, i) => Math.min([1, 3, 2, 5][(step.window >> (2 * i)) & 3]!, d));
    const outputs = [4, 1, 7, 16, 20, 3][step.size % 6]!;
    const groups = step.kind === 'convolution' ? 1 : step.kind === 'depthwise' ? channels : channels % 2 === 0 ? 2 : 1;
    const perGroup = step.kind === 'depthwise' ? 1 : Math.ceil(outputs / groups);
    const shape =
      groups === 1 && step.kind === 'convolution' ? [outputs, channels] : [groups, perGroup, channels / groups];
    const dilation = bit(step.flags, 0) ? 2 : 1;
    const attributes = {
      strides: spatial.map(() => (bit(step.flags, 1) ? 2 : 1)),
      dilations: spatial.map(() => dilation),
      pads_begin: kernel.map((k) => ((k - 1) * dilation + 1) >> 1),
      pads_end: kernel.map((k) => ((k - 1) * dilation) >> (bit(step.flags, 2) ? 0 : 1)),
    };
    const weights = this.weights(step, [...shape, ...kernel], groups === 1 && shape.length === 2 ? 1 : 2);
    const type = shape.length === 2 ? 'Convolution' : 'GroupConvolution';
    const y = this.b.op(type, [x, weights], attributes, step.kind);
    if (!bit(step.flags, 3)) return [y];
    const bias = this.b.weights(
      'bias',
      y.fact.shape.map((d, i) => (i === 1 ? d : 1)),
    );
    const biased = this.b.op('Add', [y, bias], {}, 'bias');
    return [bit(step.flags, 4) ? this.b.op('ReLU', [biased]) : biased];
  }

  /** Weights scaled by their fan-in; quantized ones with a scale for each index of the leading `axes`. */
  private weights(step: Step, shape: Shape, axes: number): OutputPort {
    const w = this.b.weights('w', shape);
    const fan = Math.sqrt(elementCount(shape.slice(axes)));
    const data = w.fact.value!.data as Float32Array;
    for (let i = 0; i < data.length; i++) data[i]! /= fan;
    if (!this.quantizers || (step.quantizer & 15) === 15) return w;
    const perChannel = bit(step.quantizer, 4);
    const limits = perChannel ? shape.map((d, i) => (i < axes ? d : 1)) : [];
    const high = Array.from({ length: elementCount(limits) }, (_, i) => (1.5 + (i % 4) * 0.25) / fan);
    return this.limited(
      w,
      limits,
      high.map((v) => -v),
      high,
      255,
      'quantized_weights',
    );
  }

  private sum(step: Step, x: OutputPort): OutputPort[] {
    const fits = this.values.filter((v) => v.fact.shape.join() === x.fact.shape.join());
    const other = fits[step.other % Math.max(1, fits.length)];
    if (!other) return [];
    const y = this.b.op(
      'Add',
      this.swapped(step, x, this.quantized(other, { ...step, quantizer: step.size })),
      {},
      'sum',
    );
    return [bit(step.flags, 5) ? this.b.op('ReLU', [y]) : y];
  }

  private concat(step: Step, x: OutputPort): OutputPort[] {
    const { shape } = x.fact;
    const axis = shape.length === 0 ? 0 : [1, 1, 1, 0, shape.length - 1][step.size % 5]! % shape.length;
    if (shape.length === 0 || shape[axis]! > 40) return [];
    const like = (v: OutputPort): boolean =>
      v.fact.shape.length === shape.length && v.fact.shape.every((d, i) => i === axis || d === shape[i]);
    const fits = this.values.filter(like);
    const parts = [x, ...fits.slice(-1 - (step.other & 1)).map((v) => this.quantized(v, step))];
    return [this.b.op('Concat', bit(step.flags, 6) ? parts.toReversed() : parts, { axis })];
  }

  private pool(step: Step, x: OutputPort): OutputPort[] {
    const spatial = x.fact.shape.slice(2);
    const kernel = spatial.map((d, i) => Math.min(d, 1 + ((step.window >> (2 * i)) & 3)));
    const attributes = {
      kernel,
      strides: kernel.map((k) => (bit(step.flags, 0) ? k : 1)),
      pads_begin: kernel.map((k) => (bit(step.flags, 1) ? k >> 1 : 0)),
      pads_end: kernel.map((k) => (bit(step.flags, 2) ? (k - 1) >> 1 : 0)),
      rounding_type: bit(step.flags, 3) ? 'ceil_torch' : 'floor',
      ...(step.kind === 'avgPool' ? { 'exclude-pad': bit(step.flags, 4) } : {}),
    };
    return [this.b.op(step.kind === 'maxPool' ? 'MaxPool' : 'AvgPool', [x], attributes)];
  }

  private mean(step: Step, x: OutputPort): OutputPort[] {
    const axes = x.fact.shape.map((_, i) => i).slice(bit(step.flags, 0) ? 1 : 2);
    const list = this.b.constant('axes', [axes.length], axes, 'i64');
    return [this.b.op('ReduceMean', [x, list], { keep_dims: bit(step.flags, 1) })];
  }

  private slice(step: Step, x: OutputPort): OutputPort[] {
    const { shape } = x.fact;
    const axis = step.size % shape.length;
    const d = shape[axis]!;
    if (d < 2) return [];
    const at = (values: readonly number[], name: string): OutputPort =>
      this.b.constant(name, [values.length], values, 'i64');
    const whole = shape.map(() => 1);
    const others = shape.map((_, i) => (i === axis ? 0 : 1));
    const backward = bit(step.flags, 0);
    const stride = bit(step.flags, 1) ? 2 : 1;
    const begin = backward ? d - 1 : step.window % Math.max(1, d - 1);
    const shrink = bit(step.flags, 2) && bit(step.flags, 3);
    const one = (value: number, rest: number): number[] => shape.map((_, i) => (i === axis ? value : rest));
    const inputs = [
      x,
      at(one(begin, 0), 'begin'),
      at(one(d, 0), 'end'),
      at(one(backward ? -stride : stride, 1), 'stride'),
    ];
    const masks = backward ? { begin_mask: others, end_mask: whole } : { begin_mask: others, end_mask: others };
    const shrunk = shrink && !backward ? { shrink_axis_mask: one(1, 0) } : {};
    return [this.b.op('StridedSlice', inputs, { ...masks, ...shrunk }, 'slice')];
  }

  private split(step: Step, x: OutputPort): readonly OutputPort[] {
    const { shape } = x.fact;
    const axis = step.size % Math.max(1, shape.length);
    if (shape.length === 0 || shape[axis]! % 2 !== 0) return [];
    const at = this.b.constant('axis', [], [axis], 'i64');
    const { node } = this.b.op('Split', [x, at], { num_splits: 2 });
    return bit(step.flags, 0) ? node.outputs : node.outputs.slice(0, 1);
  }

  private pad(step: Step, x: OutputPort): OutputPort[] {
    const { shape } = x.fact;
    const amounts = (shift: number): OutputPort =>
      this.b.constant(
        'amount',
        [shape.length],
        shape.map((_, i) => ((step.window >> (shift + 2 * i)) & 3) % 3),
        'i64',
      );
    const value = [0, 0, 0.37, -20][step.size & 3]!;
    const inputs = [x, amounts(0), amounts(1), this.b.constant('value', [], [value])];
    return [this.b.op('Pad', inputs, { pad_mode: bit(step.flags, 0) && bit(step.flags, 1) ? 'edge' : 'constant' })];
  }

  private transpose(step: Step, x: OutputPort): OutputPort[] {
    const rest = x.fact.shape.map((_, i) => i);
    const order: number[] = [];
    let code = step.size;
    while (rest.length > 0) {
      order.push(...rest.splice(code % rest.length, 1));
      code = Math.floor(code / 3);
    }
    return [this.b.op('Transpose', [x, this.b.constant('order', [order.length], order, 'i64')])];
  }

  private reshape(step: Step, x: OutputPort): OutputPort[] {
    const { shape } = x.fact;
    const count = elementCount(shape);
    const [n = 1, c = 1, ...spatial] = shape;
    const half = c % 2 === 0 ? [n, 2, c / 2, ...spatial] : [n, 1, c, ...spatial];
    const targets: Shape[] = [
      [n, -1],
      [n, c, -1],
      half,
      [-1],
      shape.length === 3 ? [...shape, 1] : [n, c, 1, elementCount(spatial)],
      count % 4 === 0 ? [1, 4, -1] : [1, 1, -1, 1],
    ];
    const target = targets[step.size % targets.length]!;
    if (target.length > 6) return [];
    return [
      this.b.op('Reshape', [x, this.b.constant('target', [target.length], target, 'i64')], { special_zero: false }),
    ];
  }

  private matMul(step: Step, x: OutputPort): OutputPort[] {
    const k = x.fact.shape.at(-1)!;
    const n = [5, 1, 16, 11][step.window & 3]!;
    const transposed = bit(step.flags, 0);
    const weights = this.weights(step, transposed ? [n, k] : [k, n], transposed ? 1 : 0);
    const y = this.b.op('MatMul', [x, weights], { transpose_b: transposed });
    if (!bit(step.flags, 1)) return [y];
    return [this.b.op('Add', [y, this.b.weights('bias', bit(step.flags, 2) ? [n] : [1, n])], {}, 'bias')];
  }

  /** The value behind a FakeQuantize when the step wants one: of many forms, few of which cannot be bytes. */
  private quantized(x: OutputPort, step: Step): OutputPort {
    const { shape } = x.fact;
    const form = step.quantizer;
    if (!this.quantizers || (form & 7) === 7) return x;
    const levels = [256, 256, 256, 255, 256, 100][(form >> 3) % 6]!;
    const isPerChannel = (form & 7) === 6 && shape.length > 1;
    const limits = isPerChannel ? shape.map((d, i) => (i === 1 ? d : 1)) : [];
    const count = elementCount(limits);
    const zero = [0, levels >> 1, (37 % levels) + 0.03, 0.3][(form >> 6) & 3]!;
    const scales = Array.from({ length: count }, (_, c) => (2.5 + (c % 3) + ((form >> 8) & 3)) / (levels - 1));
    const low = scales.map((s) => -zero * s);
    const y = this.limited(
      x,
      limits,
      low,
      low.map((l, c) => l + scales[c]! * (levels - 1)),
      levels,
      'fq',
    );
    const isTwice = ((form >> 5) & 31) === 9;
    return isTwice ? this.limited(y, [], [-2], [2 - 4 / 256], 256, 'fq') : y;
  }

  private limited(
    x: OutputPort,
    shape: Shape,
    low: readonly number[],
    high: readonly number[],
    levels: number,
    name: string,
  ): OutputPort {
    const [l, h] = [this.b.constant('low', shape, low), this.b.constant('high', shape, high)];
    return this.b.op('FakeQuantize', [x, l, h, l, h], { levels }, name);
  }
}
