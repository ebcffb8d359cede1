/** Activation functions. */
import type { OutputPort } from '../../../graph/node.ts';
import { isFloat } from '../../../tensor/element-type.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const activationImporters: ImporterTable = {
  Relu: (n) => [n.add('ReLU', {}, [n.input(0)])],
  Sigmoid: (n) => [n.add('Sigmoid', {}, [n.input(0)])],
  Tanh: (n) => [n.add('Tanh', {}, [n.input(0)])],
  Softplus: (n) => [n.add('SoftPlus', {}, [n.input(0)])],
  Mish: (n) => [n.add('Mish', {}, [n.input(0)])],
  HardSwish: (n) => [n.add('HSwish', {}, [n.input(0)])],
  Elu: (n) => [n.add('Elu', { alpha: n.attributes.float('alpha') ?? 1 }, [n.input(0)])],
  LeakyRelu: leakyRelu,
  PRelu: (n) => [n.add('PReLU', {}, [n.input(0), slope(n)])],
  Selu: (n) => [parametric(n, 'Selu', ['alpha', 1.6732631921768188], ['gamma', 1.0507010221481323])],
  HardSigmoid: (n) => [parametric(n, 'HardSigmoid', ['alpha', 0.2], ['beta', 0.5])],
  Gelu: gelu,
  Softsign: (n) => [n.add('SoftSign', {}, [n.input(0)])],
  Swish: (n) => [
    n.add('Swish', {}, [n.input(0), n.scalar(n.input(0).fact.type, n.attributes.float('alpha') ?? 1, 'beta')]),
  ],
  Celu: celu,
  ThresholdedRelu: thresholdedRelu,
  Shrink: shrink,
  Hardmax: hardmax,
  Clip: clip,
  Softmax: (n) => [softmax(n, 'SoftMax')],
  LogSoftmax: (n) => [softmax(n, 'LogSoftmax')],
};

function leakyRelu(n: ImportNode): OutputPort[] {
  const data = n.input(0);
  const alpha = n.constant(tensor(data.fact.type, [1], [n.attributes.float('alpha') ?? 0.01]), 'slope');
  return [n.add('PReLU', {}, [data, alpha])];
}

/**
 * ONNX aligns the slope with the last axes; PReLU takes a list of one number per channel, or a shape of full rank. A list
 * that fits the channels and not the last axis is one of opset 6, which converters have left as it was.
 */
function slope(n: ImportNode): OutputPort {
  const port = n.input(1);
  const data = n.input(0).fact.shape;
  const { shape } = port.fact;
  if (shape.length > data.length || shape.some((d) => d < 0)) n.invalid('its slope does not fit its input');
  const last = data.at(-1)!;
  const isOld = shape.length === 1 && shape[0] !== 1 && last >= 0 && last !== shape[0] && data[1] === shape[0];
  const aligned = isOld ? [shape[0]!, ...data.slice(2).map(() => 1)] : shape;
  const full = [...new Array<number>(data.length - aligned.length).fill(1), ...aligned];
  if (full.every((d) => d === 1)) return n.reshaped(port, [1], 'slope');
  const perChannel = data.length > 1 && full.every((d, i) => i === 1 || d === 1) && full[1] === data[1];
  return n.reshaped(port, perChannel ? [full[1]!] : full, 'slope');
}

function parametric(
  n: ImportNode,
  type: string,
  ...parameters: readonly (readonly [name: string, otherwise: number])[]
): OutputPort {
  const data = n.input(0);
  const scalars = parameters.map(([name, otherwise]) =>
    n.scalar(data.fact.type, n.attributes.float(name) ?? otherwise, name),
  );
  return n.add(type, {}, [data, ...scalars]);
}

function gelu(n: ImportNode): OutputPort[] {
  const approximation = n.attributes.choice('approximate', ['none', 'tanh'], 'none');
  return [n.add('Gelu', { approximation_mode: approximation === 'tanh' ? 'tanh' : 'erf' }, [n.input(0)])];
}

/** `max(0, x) + min(0, alpha · (exp(x / alpha) - 1))`: an ELU of x / alpha, scaled. */
function celu(n: ImportNode): OutputPort[] {
  const alpha = n.attributes.float('alpha') ?? 1;
  const elu = n.step('Elu', [n.with('Divide', n.input(0), alpha)], { alpha: 1 });
  return [n.with('Multiply', elu, alpha)];
}

/** x where it is greater than alpha, else 0. */
function thresholdedRelu(n: ImportNode): OutputPort[] {
  const x = n.input(0);
  const passes = n.with('Greater', x, n.attributes.float('alpha') ?? 1);
  return [n.step('Select', [passes, x, n.scalar(x.fact.type, 0, 'zero')])];
}

/** x + bias below -lambd, x - bias above lambd, else 0. */
function shrink(n: ImportNode): OutputPort[] {
  const x = n.input(0);
  const [lambda, bias] = [n.attributes.float('lambd') ?? 0.5, n.attributes.float('bias') ?? 0];
  const wide = isFloat(x.fact.type) ? x : n.converted(x, 'f32');
  const zero = n.scalar(wide.fact.type, 0, 'zero');
  const upper = n.step('Select', [n.with('Greater', wide, lambda), n.with('Subtract', wide, bias), zero]);
  const result = n.step('Select', [n.with('Less', wide, -lambda), n.with('Add', wide, bias), upper]);
  return [n.converted(result, x.fact.type)];
}

/** One at the first largest element of each line, zero elsewhere. */
function hardmax(n: ImportNode): OutputPort[] {
  const data = n.input(0);
  return [
    onRows(n, data, (rows, axis) => {
      const attributes = { axis, mode: 'max', sort: 'value', index_element_type: 'i64' };
      const first = n.addAll('TopK', attributes, [rows, n.scalar('i64', 1, 'k')], { suffix: 'TopK' })[1]!;
      const places = n.step('Squeeze', [first, n.indices([axis], 'axes')]);
      const { type } = rows.fact;
      return n.step('OneHot', [places, n.sizeOf(rows, axis), n.scalar(type, 1, 'on'), n.scalar(type, 0, 'off')], {
        axis,
      });
    }),
  ];
}

/** Limits are attributes before opset 11, optional inputs since. Known limits in order give a Clamp. */
function clip(n: ImportNode): OutputPort[] {
  const data = n.input(0);
  const low = n.optional(1);
  const high = n.optional(2);
  if ([low, high].every((port) => !port || port.fact.value)) {
    const min = n.attributes.float('min') ?? n.knownNumber(1, 'minimum') ?? -Infinity;
    const max = n.attributes.float('max') ?? n.knownNumber(2, 'maximum') ?? Infinity;
    const least = -3.4028234663852886e38;
    if (min <= max) return [n.add('Clamp', { min: Math.max(min, least), max: Math.min(max, -least) }, [data])];
  }
  if (n.opset < 11) n.invalid('its minimum is greater than its maximum');
  const raised = low ? n.add('Maximum', {}, [data, low], high ? { suffix: 'minimum' } : {}) : data;
  return [high ? n.add('Minimum', {}, [raised, high]) : raised];
}

function softmax(n: ImportNode, type: string): OutputPort {
  return onRows(n, n.input(0), (rows, axis) => n.add(type, { axis }, [rows]));
}

/**
 * Applies a function of lines along `axis`. Before opset 13 the input is seen as a matrix whose rows end at `axis`; every
 * row is one line.
 */
function onRows(n: ImportNode, data: OutputPort, f: (rows: OutputPort, axis: number) => OutputPort): OutputPort {
  const { shape } = data.fact;
  const axis = normalizeAxis(n.attributes.int('axis') ?? (n.opset < 13 ? 1 : -1), shape.length);
  if (n.opset >= 13 || shape.slice(axis + 1).every((d) => d === 1)) return f(data, axis);
  const kept = shape.slice(0, axis);
  const rows = kept.every((d) => d >= 0) ? kept.reduce((a, b) => a * b, 1) : -1;
  const columns = shape.slice(axis).every((d) => d >= 0) ? shape.slice(axis).reduce((a, b) => a * b, 1) : -1;
  if (rows < 0 && columns < 0) n.unsupported('dynamic sizes on both sides of its axis');
  const matrix = n.indices([rows, columns], 'matrix/shape');
  const flat = n.add('Reshape', { special_zero: false }, [data, matrix], { suffix: 'matrix' });
  const original = n.add('ShapeOf', { output_type: 'i64' }, [data], { suffix: 'shape' });
  return n.add('Reshape', { special_zero: false }, [f(flat, 1), original]);
}
