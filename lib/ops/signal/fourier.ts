// Discrete Fourier transforms: DFT, IDFT of complex numbers, RDFT of real ones, IRDFT back to real ones.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape, isStatic, normalizeAxis, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { noAttributes } from '../attribute.ts';
import { viewAround } from '../axes.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, factsOfNode, inputFact, requiredIntegers } from '../fact.ts';
import { type AxisTransform, expandAxis, hasMatrix } from './expand-fourier.ts';

/** A tensor of complex numbers: real and imaginary parts of shape `shape`. */
export interface Complex {
  readonly shape: Shape;
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** Complex numbers from pairs on the last axis, or from real numbers. */
export function complexOf(t: Tensor, real: boolean): Complex {
  const values = toFloat64(t);
  if (real) return { shape: t.shape, re: values, im: new Float64Array(values.length) };
  const count = values.length / 2;
  const part = (offset: number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => values[2 * i + offset]!);
  return { shape: t.shape.slice(0, -1), re: part(0), im: part(1) };
}

/** Complex numbers as pairs on a new last axis. */
export function pairs({ shape, re, im }: Complex, type: Tensor['type']): Tensor {
  const values = new Float64Array(2 * re.length);
  for (let i = 0; i < re.length; i++) {
    values[2 * i] = re[i]!;
    values[2 * i + 1] = im[i]!;
  }
  return fromFloat64(values, [...shape, 2], type);
}

/**
 * `X[k] = Σ_n x[n] · exp(∓2πi·kn/N)` along one axis, for k below `bins`; the inverse is divided by N. N is `length`: the
 * axis is cut, or padded with zeros.
 */
export function transform(x: Complex, axis: number, length: number, inverse: boolean, bins = length): Complex {
  const { outer, size, inner } = viewAround(x.shape, axis);
  const shape = x.shape.with(axis, bins);
  const [re, im] = [new Float64Array(elementCount(shape)), new Float64Array(elementCount(shape))];
  const angle = ((inverse ? 2 : -2) * Math.PI) / length;
  const cosines = Float64Array.from({ length }, (_, i) => Math.cos(angle * i));
  const sines = Float64Array.from({ length }, (_, i) => Math.sin(angle * i));
  const used = Math.min(size, length);
  const scale = inverse ? 1 / length : 1;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let k = 0; k < bins; k++) {
        let [sumRe, sumIm] = [0, 0];
        for (let n = 0; n < used; n++) {
          const from = (o * size + n) * inner + i;
          const [c, s] = [cosines[(k * n) % length]!, sines[(k * n) % length]!];
          sumRe += x.re[from]! * c - x.im[from]! * s;
          sumIm += x.re[from]! * s + x.im[from]! * c;
        }
        const to = (o * bins + k) * inner + i;
        re[to] = sumRe * scale;
        im[to] = sumIm * scale;
      }
    }
  }
  return { shape, re, im };
}

/** The other half of a spectrum of real numbers: `X[N − k] = conj(X[k])` along the last transformed axis. */
function mirrored(x: Complex, axis: number, length: number): Complex {
  const { outer, size, inner } = viewAround(x.shape, axis);
  const shape = x.shape.with(axis, length);
  const [re, im] = [new Float64Array(elementCount(shape)), new Float64Array(elementCount(shape))];
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      const turned = k > length - k;
      const bin = turned ? length - k : k;
      if (bin >= size) continue;
      for (let i = 0; i < inner; i++) {
        const [from, to] = [(o * size + bin) * inner + i, (o * length + k) * inner + i];
        re[to] = x.re[from]!;
        im[to] = turned ? -x.im[from]! : x.im[from]!;
      }
    }
  }
  return { shape, re, im };
}

interface Plan {
  readonly axes: readonly number[];
  /** Length of the transform on each axis. */
  readonly lengths: readonly number[];
}

/** Real data have all axes of the transform; complex data one more, of two elements. */
function planOf(real: boolean, halved: boolean, inputs: Facts): Plan {
  const { shape } = inputFact(inputs, 0);
  if (!real && shape.at(-1)! >= 0 && shape.at(-1) !== 2) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `data ${formatShape(shape)}: the last axis must have 2 elements`);
  }
  const rank = real ? shape.length : shape.length - 1;
  const axes = requiredIntegers(inputs, 1, 'axes').map((axis) => normalizeAxis(axis, rank));
  if (new Set(axes).size !== axes.length || axes.length === 0) {
    throw new LowpError('ERR_OP_INPUTS', `the axes are ${axes}; expected at least one, and each once`);
  }
  const given = inputs[2] ? requiredIntegers(inputs, 2, 'signal sizes') : axes.map(() => -1);
  if (given.length !== axes.length)
    throw new LowpError('ERR_OP_INPUTS', `${given.length} sizes for ${axes.length} axes`);
  const lengths = axes.map((axis, i) => {
    if (given[i] !== -1) return given[i]!;
    const size = shape[axis]!;
    return halved && i === axes.length - 1 && size >= 0 ? 2 * (size - 1) : size;
  });
  const wrong = lengths.find((n) => n === 0 || n < -1);
  if (wrong !== undefined)
    throw new LowpError('ERR_OP_INPUTS', `a signal size is ${wrong}, expected a positive number`);
  return { axes, lengths };
}

const half = (n: number): number => (n < 0 ? -1 : Math.floor(n / 2) + 1);

/** One transform after the other: what a real spectrum halves is the first one there, and the last one back. */
function stepsOf(form: AxisTransform['form'], axes: readonly number[], lengths: readonly number[]) {
  const steps = axes.map((axis, i) => {
    const own = i === axes.length - 1 ? form : 'complex';
    return { axis, length: lengths[i]!, form: own, bins: own === 'fromReal' ? half(lengths[i]!) : lengths[i]! };
  });
  return form === 'toReal' ? steps : steps.toReversed();
}

/** A product with a matrix for each axis; undefined for axes that are unknown or long. */
function expandTransform(
  node: Node,
  form: AxisTransform['form'],
  inverse: boolean,
  e: Expansion,
): readonly OutputPort[] | undefined {
  const facts = factsOfNode(node);
  const [x, axesFact, sizes] = facts;
  if (x?.type !== 'f32' || !isStatic(x.shape) || !axesFact?.value || (sizes && !sizes.value)) return undefined;
  const { axes, lengths } = planOf(form === 'fromReal', form === 'toReal', facts);
  const steps = stepsOf(form, axes, lengths).map((s) => ({ ...s, size: x.shape[s.axis]!, inverse }));
  if (!steps.every(hasMatrix)) return undefined;
  return [steps.reduce((port, step, i) => expandAxis(e, port, step.axis, step, `axis_${i}`), node.source(0)!)];
}

function define(type: string, opset: string, form: AxisTransform['form'], inverse: boolean): OpDef {
  const real = form === 'fromReal';
  const infer = (inputs: Facts) => {
    const x = inputFact(inputs, 0);
    const shape = [...(real ? x.shape : x.shape.slice(0, -1))];
    if (!inputFact(inputs, 1).value || (inputs[2] && !inputs[2].value)) {
      const open = shape.map(() => -1);
      return [{ type: x.type, shape: form === 'toReal' ? open : [...open, 2] }];
    }
    const { axes, lengths } = planOf(real, form === 'toReal', inputs);
    for (const [i, axis] of axes.entries()) shape[axis] = lengths[i]!;
    if (real) shape[axes.at(-1)!] = half(lengths.at(-1)!);
    return [{ type: x.type, shape: form === 'toReal' ? shape : [...shape, 2] }];
  };
  const evaluate = (x: Tensor, facts: Facts): Tensor => {
    const { axes, lengths } = planOf(real, form === 'toReal', facts);
    let value = complexOf(x, real);
    for (const step of stepsOf(form, axes, lengths)) {
      if (step.form === 'toReal') value = mirrored(value, step.axis, step.length);
      value = transform(value, step.axis, step.length, inverse, step.bins);
    }
    return form === 'toReal' ? fromFloat64(value.re, value.shape, x.type) : pairs(value, x.type);
  };
  return defineOp({
    type,
    opset,
    attributes: noAttributes,
    inputs: [2, 3],
    infer: (_, inputs) => infer(inputs),
    evaluate: (_, inputs) => [evaluate(inputs[0]!, factsOf(inputs))],
    expand: (_, node, e) => expandTransform(node, form, inverse, e),
  });
}

/**
 * Inputs: data, axes, optional lengths of the signal on those axes (−1: the axis as it is). Complex numbers are pairs on
 * the last axis. RDFT keeps the first N/2 + 1 bins of the last listed axis; IRDFT takes such a half.
 */
export const fourier: readonly OpDef[] = [
  define('DFT', 'opset7', 'complex', false),
  define('IDFT', 'opset7', 'complex', true),
  define('RDFT', 'opset9', 'fromReal', false),
  define('IRDFT', 'opset9', 'toReal', true),
];
