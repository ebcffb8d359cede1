/** LSTM, GRU and RNN sequences: ONNX has steps first, gates in another order, and two biases. */
import type { OutputPort } from '../../../graph/node.ts';
import { type CellKind, cellKinds } from '../../../ops/recurrent/kinds.ts';
import { sequencePorts } from '../../../ops/recurrent/ports.ts';

import { fromFloat64, toFloat64 } from '../../../tensor/convert.ts';
import type { ExporterTable, ExportNode } from './export-node.ts';

export const recurrentExporters: ExporterTable = {
  LSTMSequence: (e) => sequence(e, cellKinds.lstm),
  GRUSequence: (e) => sequence(e, cellKinds.gru),
  RNNSequence: (e) => sequence(e, cellKinds.rnn),
};

/** For each gate of ONNX its place in OpenVINO: i, o, f, c of f, i, c, o. */
const gateOrder: Readonly<Record<CellKind['name'], readonly number[]>> = {
  LSTM: [1, 3, 0, 2],
  GRU: [0, 1, 2],
  RNN: [0],
};

/** Peepholes i, o, f of f, i, o. */
const peepholeOrder = [1, 2, 0];

const functionNames: Readonly<Record<string, string>> = {
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  relu: 'Relu',
  affine: 'Affine',
  leakyrelu: 'LeakyRelu',
  thresholdedrelu: 'ThresholdedRelu',
  scaledtanh: 'ScaledTanh',
  hardsigmoid: 'HardSigmoid',
  elu: 'Elu',
  softsign: 'Softsign',
  softplus: 'Softplus',
};

function sequence(e: ExportNode, kind: CellKind): void {
  const ports = sequencePorts(kind);
  const order = e.text('weights_format') || 'fico';
  if (kind.hasCell && order !== 'fico') e.unsupported(`weights in the order ${order}`);
  const turned = (at: number, suffix: string) => e.step('Transpose', [e.input(at)], suffix, { perm: [1n, 0n, 2n] });
  const peepholes = e.node.source(ports.peepholes);
  const inputs = [
    turned(0, 'X'),
    blocks(e, ports.weights, gateOrder[kind.name], 'W'),
    blocks(e, ports.recurrent, gateOrder[kind.name], 'R'),
    biases(e, kind, ports.bias),
    lengths(e, ports.lengths),
    turned(ports.hidden, 'H0'),
    kind.hasCell ? turned(ports.cell, 'C0') : '',
    kind.hasCell && peepholes ? blocks(e, ports.peepholes, peepholeOrder, 'P') : '',
  ];
  const outputs = e.node.outputs.map((_, i) => e.writer.unique(`${e.node.name}/${['Y', 'Y_h', 'Y_c'][i]}`));
  e.writer.node(kind.name, inputs, outputs, attributesOf(e, kind), `${e.node.name}/${kind.name}`);
  for (const [i, port] of e.node.outputs.entries())
    back(e, outputs[i]!, port, i === 0 ? [2n, 1n, 0n, 3n] : [1n, 0n, 2n]);
}

function back(e: ExportNode, value: string, port: OutputPort, perm: readonly bigint[]): void {
  e.writer.node('Transpose', [value], [e.writer.nameOf(port)], { perm }, port.index === 0 ? e.node.name : value);
}

/** Every direction has the functions of the node. */
function attributesOf(e: ExportNode, kind: CellKind) {
  const both = e.text('direction') === 'bidirectional' ? 2 : 1;
  const repeat = <T>(list: readonly T[]): T[] => Array.from({ length: both }, () => list).flat();
  const words = (e.node.attributes.activations as readonly string[]).map(
    (name) => functionNames[name.toLowerCase()] ?? e.unsupported(`the activation '${name}'`),
  );
  const numbers = (name: string) => repeat((e.node.attributes[name] ?? []) as readonly number[]);
  const [alpha, beta] = [numbers('activations_alpha'), numbers('activations_beta')];
  const clip = e.number('clip');
  return {
    hidden_size: BigInt(e.number('hidden_size')),
    direction: e.text('direction'),
    activations: repeat(words),
    ...(alpha.length > 0 ? { activation_alpha: alpha } : {}),
    ...(beta.length > 0 ? { activation_beta: beta } : {}),
    ...(clip > 0 && clip < Infinity ? { clip } : {}),
    ...(kind.name === 'GRU' ? { linear_before_reset: e.flag('linear_before_reset') ? 1n : 0n } : {}),
    ...(e.flag('input_forget') ? { input_forget: 1n } : {}),
  };
}

/** Blocks of rows along axis 1 in another order. */
function blocks(e: ExportNode, at: number, order: readonly number[], suffix: string): string {
  if (order.every((from, to) => from === to)) return e.input(at);
  const size = e.shape(at)[1]! / order.length;
  const value = e.known(at);
  const rows = order.flatMap((block) => Array.from({ length: size }, (_, i) => block * size + i));
  if (!value) return e.step('Gather', [e.input(at), e.int64s(rows, `${suffix}/rows`)], suffix, { axis: 1n });
  const numbers = toFloat64(value);
  const width = value.shape[2] ?? 1;
  const all = rows.length * width;
  const moved = numbers.map((_, i) => {
    const [direction, rest] = [Math.floor(i / all), i % all];
    return numbers[direction * all + rows[Math.floor(rest / width)]! * width + (rest % width)]!;
  });
  return e.constant(fromFloat64(moved, value.shape, value.type), suffix);
}

/** The bias of the input, then that of the state: zero, but for the candidate of a GRU that is reset behind its product. */
function biases(e: ExportNode, kind: CellKind, at: number): string {
  const value = e.known(at) ?? e.unsupported('a bias that is not constant');
  const hidden = e.number('hidden_size');
  const [directions, rows] = value.shape as [number, number];
  const numbers = toFloat64(value);
  const gates = kind.gates * hidden;
  const out = new Float64Array(directions * 2 * gates);
  for (let d = 0; d < directions; d++) {
    for (const [to, from] of gateOrder[kind.name].entries()) {
      const begin = d * rows + from * hidden;
      out.set(numbers.subarray(begin, begin + hidden), d * 2 * gates + to * hidden);
    }
    if (rows > gates) out.set(numbers.subarray(d * rows + gates, (d + 1) * rows), (d * 2 + 2) * gates - hidden);
  }
  return e.constant(fromFloat64(out, [directions, 2 * gates], value.type), 'B');
}

/** Absent when every sample has all steps. */
function lengths(e: ExportNode, at: number): string {
  const value = e.known(at);
  const steps = e.shape(0)[1]!;
  if (value && toFloat64(value).every((n) => n === steps)) return '';
  return e.cast(e.input(at), e.type(at), 'i32', 'lengths');
}
