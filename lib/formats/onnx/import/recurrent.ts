/** LSTM, GRU and RNN: sequences whose gates, axes and biases stand in another order than in OpenVINO. */
import type { OutputPort } from '../../../graph/node.ts';
import { gateDefaults } from '../../../ops/recurrent/activations.ts';
import { type CellKind, cellKinds } from '../../../ops/recurrent/kinds.ts';
import { tensor, zeros } from '../../../tensor/tensor.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';
import { dynamicallyQuantized } from './quantization.ts';

export const recurrentImporters: ImporterTable = {
  LSTM: (n) => sequence(n, cellKinds.lstm),
  GRU: (n) => sequence(n, cellKinds.gru),
  RNN: (n) => sequence(n, cellKinds.rnn),
  'com.microsoft::DynamicQuantizeLSTM': dynamicQuantizeLstm,
};

/** Position in ONNX of each gate of OpenVINO: f, i, c, o of i, o, f, c. */
const gateOrder: Readonly<Record<CellKind['name'], readonly number[]>> = {
  LSTM: [2, 0, 3, 1],
  GRU: [0, 1, 2],
  RNN: [0],
};

/** Peepholes f, i, o of i, o, f. */
const peepholeOrder = [2, 0, 1];

/** Functions that take alpha, and those that take beta too. */
const withAlpha = new Set(['affine', 'leakyrelu', 'thresholdedrelu', 'scaledtanh', 'hardsigmoid', 'elu']);
const withBeta = new Set(['affine', 'scaledtanh', 'hardsigmoid']);

/** The functions of one direction. */
interface Functions {
  readonly activations: string[];
  readonly activations_alpha: number[];
  readonly activations_beta: number[];
}

/** Sizes and forms that all parts of the import need. */
interface Form {
  readonly kind: CellKind;
  readonly hidden: number;
  readonly directions: number;
  readonly direction: 'forward' | 'reverse' | 'bidirectional';
  readonly isBatchFirst: boolean;
  readonly linear: boolean;
}

function formOf(n: ImportNode, kind: CellKind): Form {
  const recurrent = n.input(2).fact.shape;
  if (n.rank(0) !== 3 || n.rank(1) !== 3 || recurrent.length !== 3) n.invalid('its input and weights must have rank 3');
  const hidden = n.attributes.int('hidden_size') ?? recurrent[2]!;
  if (hidden < 1) n.invalid(`its hidden size is ${hidden}`);
  const direction = n.attributes.choice('direction', ['forward', 'reverse', 'bidirectional'], 'forward');
  const linear = kind.name === 'GRU' && n.attributes.flag('linear_before_reset');
  return {
    kind,
    hidden,
    direction,
    directions: direction === 'bidirectional' ? 2 : 1,
    isBatchFirst: n.attributes.flag('layout'),
    linear,
  };
}

/** The functions of every direction; alpha and beta are consumed by the functions that take them. */
function functionsOf(n: ImportNode, f: Form): Functions[] {
  const defaults = Array.from({ length: f.directions }, () => f.kind.activations).flat();
  const names = (n.attributes.strings('activations') ?? defaults).map((name) => name.toLowerCase());
  if (names.length !== defaults.length) n.invalid(`it has ${names.length} activations, expected ${defaults.length}`);
  const unknown = names.find((name) => !gateDefaults(name));
  if (unknown !== undefined) n.unsupported(`the activation '${unknown}' is not known`);
  const alphas = [...(n.attributes.floats('activation_alpha') ?? [])];
  const betas = [...(n.attributes.floats('activation_beta') ?? [])];
  const alpha = names.map((name) => (withAlpha.has(name) ? alphas.shift() : undefined) ?? gateDefaults(name)!.alpha);
  const beta = names.map((name) => (withBeta.has(name) ? betas.shift() : undefined) ?? gateDefaults(name)!.beta);
  const count = f.kind.activations.length;
  return Array.from({ length: f.directions }, (_, d) => {
    const own = <T>(list: readonly T[]): T[] => list.slice(d * count, (d + 1) * count);
    const isPlain = own(names).every((name) => !withAlpha.has(name));
    return {
      activations: own(names),
      activations_alpha: isPlain ? [] : own(alpha),
      activations_beta: isPlain ? [] : own(beta),
    };
  });
}

/** Blocks of `hidden` rows along axis 1, in another order. */
function reordered(n: ImportNode, f: Form, port: OutputPort, order: readonly number[], suffix: string): OutputPort {
  if (order.every((from, to) => from === to)) return port;
  const rows = order.flatMap((block) => Array.from({ length: f.hidden }, (_, i) => block * f.hidden + i));
  return n.add(
    'Gather',
    { batch_dims: 0 },
    [port, n.indices(rows, `${suffix}/rows`), n.scalar('i64', 1, `${suffix}/axis`)],
    {
      suffix,
    },
  );
}

function permuted(n: ImportNode, port: OutputPort, order: readonly number[], suffix?: string): OutputPort {
  const axes = n.indices(order, `${suffix ?? 'Y'}/order`);
  return n.add('Transpose', {}, [port, axes], suffix === undefined ? {} : { suffix });
}

function parts(n: ImportNode, port: OutputPort, axis: number, lengths: readonly number[], suffix: string) {
  const at = n.scalar('i64', axis, `${suffix}/axis`);
  return n.addAll('VariadicSplit', {}, [port, at, n.indices(lengths, `${suffix}/lengths`)], { suffix });
}

/** The sum of both biases; the bias of the candidate's recurrent part stays apart when that is reset afterwards. */
function biasOf(n: ImportNode, f: Form): OutputPort {
  const rows = f.kind.gates * f.hidden;
  const port = n.optional(3);
  const type = n.input(0).fact.type;
  if (!port) return n.constant(zeros(type, [f.directions, f.linear ? rows + f.hidden : rows]), 'B');
  const [outer, inner] = parts(n, port, 1, [rows, rows], 'B/parts') as [OutputPort, OutputPort];
  if (!f.linear) {
    const sum = n.add('Add', {}, [outer, inner], { suffix: 'B/sum' });
    return reordered(n, f, sum, gateOrder[f.kind.name], 'B');
  }
  const cut = [2 * f.hidden, f.hidden];
  const [outerGates, outerLast] = parts(n, outer, 1, cut, 'B/outer') as [OutputPort, OutputPort];
  const [innerGates, innerLast] = parts(n, inner, 1, cut, 'B/inner') as [OutputPort, OutputPort];
  const gates = n.add('Add', {}, [outerGates, innerGates], { suffix: 'B/sum' });
  return n.add('Concat', { axis: 1 }, [gates, outerLast, innerLast], { suffix: 'B' });
}

/** Sizes of batch and steps as a 1-D tensor each, computed where they are dynamic. */
function sizeOf(n: ImportNode, x: OutputPort, axis: number, name: string): OutputPort {
  const size = x.fact.shape[axis]!;
  if (size >= 0) return n.indices([size], name);
  const shape = n.add('ShapeOf', { output_type: 'i64' }, [x], { suffix: `${name}/ShapeOf` });
  return n.add(
    'Gather',
    { batch_dims: 0 },
    [shape, n.indices([axis], `${name}/index`), n.scalar('i64', 0, `${name}/axis`)],
    {
      suffix: name,
    },
  );
}

function stateOf(n: ImportNode, f: Form, x: OutputPort, input: number, suffix: string): OutputPort {
  const given = n.optional(input);
  if (given) return f.isBatchFirst ? given : permuted(n, given, [1, 0, 2], suffix);
  const batch = x.fact.shape[0]!;
  if (batch >= 0) return n.constant(zeros(x.fact.type, [batch, f.directions, f.hidden]), suffix);
  const rest = n.indices([f.directions, f.hidden], `${suffix}/sizes`);
  const shape = n.add('Concat', { axis: 0 }, [sizeOf(n, x, 0, `${suffix}/batch`), rest], { suffix: `${suffix}/shape` });
  return n.add('Broadcast', { mode: 'numpy' }, [n.scalar(x.fact.type, 0, `${suffix}/zero`), shape], { suffix });
}

function lengthsOf(n: ImportNode, x: OutputPort): OutputPort {
  const given = n.optional(4);
  if (given) return given;
  const [batch, steps] = x.fact.shape as [number, number];
  if (batch >= 0 && steps >= 0) {
    return n.constant(tensor('i32', [batch], new Array<number>(batch).fill(steps)), 'lengths');
  }
  const operands = [sizeOf(n, x, 1, 'steps'), sizeOf(n, x, 0, 'batch')];
  return n.add('Broadcast', { mode: 'numpy' }, operands, { suffix: 'lengths' });
}

/** Everything that a sequence reads, in OpenVINO's order. */
function operandsOf(n: ImportNode, f: Form, inOrder: boolean): OutputPort[] {
  const x = f.isBatchFirst ? n.input(0) : permuted(n, n.input(0), [1, 0, 2], 'X');
  const order = gateOrder[f.kind.name];
  const peepholes = f.kind.hasCell ? n.optional(7) : undefined;
  return [
    x,
    stateOf(n, f, x, 5, 'H0'),
    ...(f.kind.hasCell ? [stateOf(n, f, x, 6, 'C0')] : []),
    lengthsOf(n, x),
    ...(inOrder
      ? [n.input(1), n.input(2)]
      : [1, 2].map((i) => reordered(n, f, n.input(i), order, i === 1 ? 'W' : 'R'))),
    biasOf(n, f),
    ...(peepholes ? [reordered(n, f, peepholes, peepholeOrder, 'P')] : []),
  ];
}

/** @param inOrder  the gates of the weights stand in OpenVINO's order */
function sequence(n: ImportNode, kind: CellKind, inOrder = false): OutputPort[] {
  const f = formOf(n, kind);
  const operands = operandsOf(n, f, inOrder);
  const functions = functionsOf(n, f);
  const inputForget = kind.hasCell && n.attributes.flag('input_forget');
  const isOld = inputForget || operands.length > (kind.hasCell ? 7 : 6);
  const attributes = {
    hidden_size: f.hidden,
    clip: n.attributes.float('clip') ?? 0,
    ...(kind.name === 'GRU' ? { linear_before_reset: f.linear } : {}),
    ...(isOld ? { input_forget: inputForget } : {}),
  };
  const type = `${kind.name}Sequence`;
  const options = { suffix: 'sequence', ...(isOld ? { opset: 'opset1' } : {}) };
  const [first, second] = functions as [Functions, Functions | undefined];
  const outputs =
    !second || JSON.stringify(first) === JSON.stringify(second)
      ? n.addAll(type, { ...attributes, ...first, direction: f.direction }, operands, options)
      : apart(n, f, operands, (d, own) => {
          const direction = d === 0 ? 'forward' : 'reverse';
          const suffix = `sequence/${direction}`;
          return n.addAll(type, { ...attributes, ...functions[d]!, direction }, own, { ...options, suffix });
        });
  const [y, ...states] = outputs as [OutputPort, ...OutputPort[]];
  const orderOfY = f.isBatchFirst ? [0, 2, 1, 3] : [2, 1, 0, 3];
  const names = ['Y_h', 'Y_c'];
  return [
    permuted(n, y, orderOfY, 'Y'),
    ...states.map((s, i) => (f.isBatchFirst ? s : permuted(n, s, [1, 0, 2], names[i]!))),
  ];
}

/** Both directions as sequences of their own, whose outputs stand side by side on axis 1. */
function apart(
  n: ImportNode,
  f: Form,
  operands: readonly OutputPort[],
  add: (direction: number, operands: OutputPort[]) => readonly OutputPort[],
): OutputPort[] {
  const states = f.kind.hasCell ? 2 : 1;
  const halves = operands.map((port, i): readonly OutputPort[] => {
    if (i === 0 || i === 1 + states) return [port, port];
    const axis = i <= states ? 1 : 0;
    return parts(n, port, axis, [1, 1], `direction/${i}`);
  });
  const runs = [0, 1].map((d) =>
    add(
      d,
      halves.map((h) => h[d]!),
    ),
  );
  return runs[0]!.map((port, i) => n.add('Concat', { axis: 1 }, [port, runs[1]![i]!], { suffix: `both/${i}` }));
}

/**
 * An LSTM with weights in bytes, `[directions, elements, 4 · hidden]`, which stay bytes. Inputs: those of LSTM, then scale
 * and zero point of W and of R: one number for each direction, or for each of its columns.
 *
 * X is rounded to the grid of its own elements. The hidden state, which ONNX Runtime rounds in front of each step, is not:
 * results differ by what that rounding adds.
 */
function dynamicQuantizeLstm(n: ImportNode): OutputPort[] {
  const { bytes, zero, scale } = dynamicallyQuantized(n, n.input(0));
  const x = n.step('Multiply', [n.step('Subtract', [bytes, zero]), scale]);
  const hidden = n.input(2).fact.shape[1]!;
  const weights = [
    recurrentWeights(n, { at: 1, scale: 8, hidden, name: 'W' }),
    recurrentWeights(n, { at: 2, scale: 10, hidden, name: 'R' }),
  ];
  const rest = [3, 4, 5, 6, 7].map((i) => n.optional(i));
  return sequence(n.derive([x, ...weights, ...rest]), cellKinds.lstm, true);
}

interface ByteWeights {
  readonly at: number;
  /** The input that holds their scales; zero points are the next one. */
  readonly scale: number;
  readonly hidden: number;
  readonly name: string;
}

/** Bytes with gates as rows, in OpenVINO's order, behind their dequantization. */
function recurrentWeights(n: ImportNode, w: ByteWeights): OutputPort {
  const [bytes, scale, zero] = [n.input(w.at), n.input(w.scale), n.input(w.scale + 1)];
  const [directions, elements, columns] = bytes.fact.shape;
  if (bytes.fact.shape.length !== 3 || columns !== 4 * w.hidden || elements! < 1) {
    n.invalid(`its weights ${w.name} are ${bytes.fact.shape.join(',')} for a hidden size of ${w.hidden}`);
  }
  const rows = permuted(n, bytes, [0, 2, 1], `${w.name}/rows`);
  const order = gateOrder.LSTM.flatMap((block) => Array.from({ length: w.hidden }, (_, i) => block * w.hidden + i));
  const pick = (port: OutputPort, suffix: string): OutputPort => {
    const operands = [port, n.indices(order, `${suffix}/order`), n.scalar('i64', 1, `${suffix}/axis`)];
    return n.add('Gather', { batch_dims: 0 }, operands, { suffix });
  };
  const parameter = (port: OutputPort, suffix: string): OutputPort => {
    const isList = port.fact.shape.length === 2;
    const column = n.reshaped(port, [directions!, isList ? columns! : 1, 1], `${suffix}/column`);
    return n.converted(isList ? pick(column, suffix) : column, 'f32');
  };
  const wide = n.add('Convert', { destination_type: 'f32' }, [pick(rows, w.name)], {
    suffix: `${w.name}/Convert`,
    fold: false,
  });
  const centred = n.step('Subtract', [wide, parameter(zero, `${w.name}/zero`)], {}, { fold: false });
  return n.step('Multiply', [centred, parameter(scale, `${w.name}/scale`)], {}, { fold: false });
}
