// Recurrent cells and sequences as matrix products, sums and functions, one step after the other.
import type { Node, OutputPort } from '../../graph/node.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { isStatic } from '../../tensor/shape.ts';
import type { Expansion } from '../expansion.ts';
import type { CellKind, RecurrentAttributes, SequenceAttributes } from './kinds.ts';
import { cellPorts, sequencePorts } from './ports.ts';

/** Operations for functions of gates; others are left to the reference. */
const functionTypes: Readonly<Record<string, string>> = { sigmoid: 'Sigmoid', tanh: 'Tanh', relu: 'ReLU' };

/** Most steps that are written one after the other. */
const mostSteps = 1024;

function typesOf(a: RecurrentAttributes): string[] {
  return a.activations.flatMap((name) => functionTypes[name.toLowerCase()] ?? []);
}

/** True when steps of this form have kernels. */
function canExpand(kind: CellKind, a: RecurrentAttributes, node: Node, peepholes: number): boolean {
  if (typesOf(a).length !== kind.activations.length) return false;
  if ((a.weights_format ?? 'fico') !== 'fico' || a.input_forget || node.source(peepholes)) return false;
  return node.inputs.every((i) => !i.source || (i.source.fact.type !== 'f64' && isStatic(i.source.fact.shape)));
}

/** True when all samples have all steps, there are not too many, and one step can be expanded. */
export function canExpandSequence(kind: CellKind, a: SequenceAttributes, node: Node): boolean {
  const at = sequencePorts(kind);
  if (!canExpand(kind, a, node, at.peepholes)) return false;
  const steps = node.source(0)!.fact.shape[1]!;
  const lengths = node.source(at.lengths)!.fact.value;
  return steps > 0 && steps <= mostSteps && lengths !== undefined && toIntegers(lengths).every((n) => n === steps);
}

/** What one step reads: the projected input `[B, gates · H]`, the states, and its weights. */
interface Operands {
  readonly x: OutputPort;
  readonly hidden: OutputPort;
  readonly cell: OutputPort | undefined;
  readonly weights: RecurrentWeights;
}

/** The weights of the hidden state `[gates · H, H]`, cut as a step needs them, and the inner bias of a GRU. */
interface RecurrentWeights {
  readonly parts: readonly OutputPort[];
  readonly innerBias: OutputPort | undefined;
}

/** `x · wᵀ`. */
function product(e: Expansion, x: OutputPort, w: OutputPort, name: string): OutputPort {
  return e.add('MatMul', [x, w], { transpose_a: false, transpose_b: true }, name);
}

function clipped(e: Expansion, a: RecurrentAttributes, port: OutputPort, name: string): OutputPort {
  if (a.clip === 0 || !Number.isFinite(a.clip)) return port;
  return e.add('Clamp', [port], { min: -a.clip, max: a.clip }, name);
}

function recurrentWeights(
  e: Expansion,
  kind: CellKind,
  a: RecurrentAttributes,
  r: OutputPort,
  bias: OutputPort | undefined,
  name: string,
): { weights: RecurrentWeights; bias: OutputPort | undefined } {
  const size = a.hidden_size;
  const isSplit = kind.name === 'GRU' && !a.linear_before_reset;
  const parts = isSplit ? e.parts(r, 0, [2 * size, size], `${name}R`) : [r];
  if (kind.name !== 'GRU' || !a.linear_before_reset || !bias) return { weights: { parts, innerBias: undefined }, bias };
  const [outer, inner] = e.parts(bias, 0, [3 * size, size], `${name}B`);
  return { weights: { parts, innerBias: inner }, bias: outer };
}

type StepPorts = { readonly hidden: OutputPort; readonly cell: OutputPort | undefined };

function lstmStep(e: Expansion, a: RecurrentAttributes, o: Operands, name: string): StepPorts {
  const [f, g, h] = typesOf(a) as [string, string, string];
  const sums = e.add('Add', [product(e, o.hidden, o.weights.parts[0]!, `${name}R`), o.x], {}, `${name}sum`);
  const gates = e.split(clipped(e, a, sums, `${name}clip`), 1, 4, `${name}gates`);
  const [forget, input, output] = [0, 1, 3].map((i) => e.add(f, [gates[i]!], {}, `${name}${'fico'[i]}`));
  const candidate = e.add(g, [gates[2]!], {}, `${name}c`);
  const kept = e.add('Multiply', [forget!, o.cell!], {}, `${name}kept`);
  const added = e.add('Multiply', [input!, candidate], {}, `${name}added`);
  const cell = e.add('Add', [kept, added], {}, `${name}cell`);
  const hidden = e.add('Multiply', [output!, e.add(h, [cell], {}, `${name}h`)], {}, `${name}hidden`);
  return { hidden, cell };
}

function gruStep(e: Expansion, a: RecurrentAttributes, o: Operands, name: string): StepPorts {
  const [f, g] = typesOf(a) as [string, string];
  const size = a.hidden_size;
  const [xGates, xCandidate] = e.parts(o.x, 1, [2 * size, size], `${name}x`) as [OutputPort, OutputPort];
  const recurrent = product(e, o.hidden, o.weights.parts[0]!, `${name}R`);
  const linear = a.linear_before_reset ?? false;
  const [inner, last] = linear ? e.parts(recurrent, 1, [2 * size, size], `${name}r`) : [recurrent];
  const sums = clipped(e, a, e.add('Add', [inner!, xGates], {}, `${name}sum`), `${name}clip`);
  const [update, reset] = e.split(e.add(f, [sums], {}, `${name}zr`), 1, 2, `${name}gates`) as [OutputPort, OutputPort];
  let seen: OutputPort;
  if (linear) {
    const { innerBias } = o.weights;
    const biased = innerBias ? e.add('Add', [last!, innerBias], {}, `${name}Rb`) : last!;
    seen = e.add('Multiply', [reset, biased], {}, `${name}reset`);
  } else {
    seen = product(e, e.add('Multiply', [reset, o.hidden], {}, `${name}reset`), o.weights.parts[1]!, `${name}Rh`);
  }
  const candidateSum = clipped(e, a, e.add('Add', [seen, xCandidate], {}, `${name}sumh`), `${name}cliph`);
  const candidate = e.add(g, [candidateSum], {}, `${name}h`);
  const change = e.add('Subtract', [o.hidden, candidate], {}, `${name}change`);
  const kept = e.add('Multiply', [update, change], {}, `${name}kept`);
  return { hidden: e.add('Add', [candidate, kept], {}, `${name}hidden`), cell: undefined };
}

function rnnStep(e: Expansion, a: RecurrentAttributes, o: Operands, name: string): StepPorts {
  const sums = e.add('Add', [product(e, o.hidden, o.weights.parts[0]!, `${name}R`), o.x], {}, `${name}sum`);
  const hidden = e.add(typesOf(a)[0]!, [clipped(e, a, sums, `${name}clip`)], {}, `${name}hidden`);
  return { hidden, cell: undefined };
}

const steps = { LSTM: lstmStep, GRU: gruStep, RNN: rnnStep };

/** A cell as products and functions; undefined for forms that have none. */
export function expandCell(
  kind: CellKind,
  a: RecurrentAttributes,
  node: Node,
  e: Expansion,
): readonly OutputPort[] | undefined {
  const at = cellPorts(kind);
  if (!canExpand(kind, a, node, at.peepholes)) return undefined;
  const cut = recurrentWeights(e, kind, a, node.source(at.recurrent)!, node.source(at.bias), '');
  const projected = product(e, node.source(0)!, node.source(at.weights)!, 'W');
  const x = cut.bias ? e.add('Add', [projected, cut.bias], {}, 'Wb') : projected;
  const cell = kind.hasCell ? node.source(at.cell)! : undefined;
  const next = steps[kind.name](e, a, { x, hidden: node.source(at.hidden)!, cell, weights: cut.weights }, '');
  return next.cell ? [next.hidden, next.cell] : [next.hidden];
}

/** A sequence: one product of all steps with the weights of the input, then step after step. */
export function expandSequence(kind: CellKind, a: SequenceAttributes, node: Node, e: Expansion): readonly OutputPort[] {
  const at = sequencePorts(kind);
  const [batch, count, inputSize] = node.source(0)!.fact.shape as [number, number, number];
  const size = a.hidden_size;
  const directions = a.direction === 'bidirectional' ? 2 : 1;
  const rows = kind.gates * size;
  const split = (port: number, shape: readonly number[], axis: number, name: string): OutputPort[] =>
    e.split(node.source(port)!, axis, directions, name).map((p, d) => e.reshape(p, shape, `${name}${d}`));
  const recurrent = split(at.recurrent, [rows, size], 0, 'R');
  const biases = node.source(at.bias) ? split(at.bias, [kind.biasRows(a) * size], 0, 'B') : [];
  const cuts = recurrent.map((r, d) => recurrentWeights(e, kind, a, r, biases[d], `${d}/`));
  const weights = e.reshape(node.source(at.weights)!, [directions * rows, inputSize], 'W');
  const rowsOfX = e.reshape(node.source(0)!, [batch * count, inputSize], 'x');
  const products = e.split(product(e, rowsOfX, weights, 'Wx'), 1, directions, 'Wx/directions');
  const hidden = split(at.hidden, [batch, size], 1, 'hidden');
  const cell = kind.hasCell ? split(at.cell, [batch, size], 1, 'cell') : [];
  const runs = products.map((projected, d) => {
    const { bias } = cuts[d]!;
    const x = bias ? e.add('Add', [projected, bias], {}, `${d}/Wb`) : projected;
    const states = { hidden: hidden[d]!, cell: cell[d] };
    return unroll(kind, a, e, { x, weights: cuts[d]!.weights, states, batch, count, direction: d });
  });
  const stack = (ports: readonly OutputPort[], shape: readonly number[], name: string): OutputPort =>
    e.concat(
      ports.map((p, d) => e.reshape(p, shape, `${name}${d}`)),
      1,
      name,
    );
  const outputs = [
    stack(
      runs.map((r) => r.y),
      [batch, 1, count, size],
      'y',
    ),
    stack(
      runs.map((r) => r.last.hidden),
      [batch, 1, size],
      'h',
    ),
  ];
  if (kind.hasCell)
    outputs.push(
      stack(
        runs.map((r) => r.last.cell!),
        [batch, 1, size],
        'c',
      ),
    );
  return outputs;
}

interface Direction {
  /** `[batch · steps, gates · H]`. */
  readonly x: OutputPort;
  readonly weights: RecurrentWeights;
  readonly states: StepPorts;
  readonly batch: number;
  readonly count: number;
  readonly direction: number;
}

/** All steps of one direction: `[batch, steps, H]` in the order of time, and the last states. */
function unroll(
  kind: CellKind,
  a: SequenceAttributes,
  e: Expansion,
  run: Direction,
): { readonly y: OutputPort; readonly last: StepPorts } {
  const { batch, count, direction: d } = run;
  const size = a.hidden_size;
  const rows = kind.gates * size;
  const reverse = a.direction === 'reverse' || d === 1;
  const all = e.reshape(run.x, [batch, count, rows], `${d}/x`);
  const xs = e.split(all, 1, count, `${d}/steps`).map((x, t) => e.reshape(x, [batch, rows], `${d}/${t}/x`));
  const ys = new Array<OutputPort>(count);
  let states = run.states;
  for (let i = 0; i < count; i++) {
    const t = reverse ? count - 1 - i : i;
    states = steps[kind.name](e, a, { x: xs[t]!, weights: run.weights, ...states }, `${d}/${t}/`);
    ys[t] = e.reshape(states.hidden, [batch, 1, size], `${d}/${t}/y`);
  }
  return { y: e.concat(ys, 1, `${d}/y`), last: states };
}
