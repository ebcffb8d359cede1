/** If, Loop and TensorIterator as If, Loop and Scan. */
import type { OutputPort } from '../../../graph/node.ts';
import { type PortMapping, SubGraph } from '../../../graph/sub-graph.ts';
import { toIntegers } from '../../../tensor/convert.ts';
import { hasRank, normalizeAxis } from '../../../tensor/shape.ts';
import { tensor, zeros } from '../../../tensor/tensor.ts';
import { onnxTypeOf } from '../data-types.ts';
import { BodyExport } from './body.ts';
import { bigints, type ExporterTable, type ExportNode } from './export-node.ts';
import { cutInput, type Joined, joinedOutput, numberedPiece } from './slices.ts';

export const controlExporters: ExporterTable = { If: ifElse, Loop: loop, TensorIterator: scan };

function subGraphOf(e: ExportNode, name: string): SubGraph {
  const value = e.node.attributes[name];
  return value instanceof SubGraph ? value : e.unsupported(`it has no '${name}'`);
}

function ifElse(e: ExportNode): void {
  const [then_branch, else_branch] = ['then_body', 'else_body'].map((name) => {
    const body = new BodyExport(e, subGraphOf(e, name));
    for (const { external, internal } of body.sub.inputs) body.bind(internal, e.input(external));
    body.operations();
    for (const port of e.node.outputs) {
      const mapping = body.sub.outputs.find((m) => m.external === port.index);
      body.resultOutput((mapping ?? e.unsupported(`'${name}' gives no output ${port.index}`)).internal);
    }
    return body.finish();
  });
  e.finish('If', [scalar(e, 0)], { then_branch: then_branch!, else_branch: else_branch! });
}

/** An input of one element without axes. */
function scalar(e: ExportNode, index: number): string {
  if (!hasRank(e.shape(index))) e.unsupported(`the rank of its input ${index} is not known`);
  const axes = e.shape(index).map((_, axis) => axis);
  if (axes.length === 0) return e.input(index);
  return e.step('Squeeze', [e.input(index), e.int64s(axes, `axes.${index}`)], `scalar.${index}`);
}

/** A value that iterations pass on, and what it begins with. */
interface State {
  readonly initial: string;
  /** The result that the next iteration takes. */
  readonly from: number;
}

/** How the ports of a loop appear in ONNX. */
interface Ports {
  readonly body: BodyExport;
  readonly states: readonly State[];
  /** Output of the node for each state; undefined for one that nobody reads behind the loop. */
  readonly joined: readonly (PortMapping & { readonly slicing: NonNullable<PortMapping['slicing']> })[];
}

/** Declares the carried values as inputs of the body and binds what is the same in every iteration. */
function bindPorts(e: ExportNode, body: BodyExport): Ports {
  const { inputs, outputs, backEdges } = body.sub;
  const states: State[] = [];
  for (const { external, internal, slicing } of inputs) {
    if (external < 0 || slicing) continue;
    const edge = backEdges.find((b) => b.to === internal);
    if (!edge) {
      body.bind(internal, e.input(external));
      continue;
    }
    body.parameterInput(internal);
    states.push({ initial: e.input(external), from: edge.from });
  }
  for (const { external, internal, slicing } of outputs) {
    if (external < 0 || slicing || states.some((s) => s.from === internal)) continue;
    states.push({ initial: placeholder(e, body, body.result(internal)), from: internal });
  }
  const joined = outputs.flatMap(({ slicing, ...m }) => (slicing && m.external >= 0 ? [{ ...m, slicing }] : []));
  return { body, states, joined };
}

/** What a result begins with of which only the last one counts: the loop has at least one iteration then. */
function placeholder(e: ExportNode, body: BodyExport, { fact }: OutputPort): string {
  if (!hasRank(fact.shape)) e.unsupported('a result that only the last iteration gives has no known rank');
  const shape = fact.shape.map((d) => Math.max(d, 0));
  body.input('unused', fact.type, fact.shape);
  return e.constant(zeros(fact.type, shape), 'unused');
}

/** Adds the node; outputs that two ports give, or that nobody reads, have names of their own. */
function finish(
  e: ExportNode,
  opType: string,
  inputs: readonly string[],
  { body, states, joined }: Ports,
  parts: readonly Joined[],
  attributes: Parameters<ExportNode['step']>[3] = {},
): void {
  const { node, writer } = e;
  const plain = body.sub.outputs.filter((m) => m.external >= 0 && !m.slicing);
  const nameOf = (external: number) => writer.nameOf(node.outputs[external]!);
  const names: string[] = [];
  const copies: { from: string; to: string }[] = [];
  for (const { from } of states) {
    const [first, ...others] = plain.filter(
      (m) => m.internal === from && !copies.some((c) => c.to === nameOf(m.external)),
    );
    const isNew = first && !names.includes(nameOf(first.external));
    const name = isNew ? nameOf(first.external) : writer.unique(`${node.name}/state`);
    names.push(name);
    if (isNew) copies.push(...others.map((m) => ({ from: name, to: nameOf(m.external) })));
  }
  const raw = joined.map((m, i) => (parts[i]!.isWhole ? nameOf(m.external) : writer.unique(`${node.name}/joined`)));
  writer.node(opType, inputs, [...names, ...raw], { ...attributes, body: body.finish() }, node.name);
  for (const { from, to } of copies) writer.node('Identity', [from], [to], {}, `${node.name}/copy`);
  for (const [i, m] of joined.entries()) parts[i]!.finish(raw[i]!, nameOf(m.external));
}

/** Iterations are numbered in i64 and without axes. */
function loop(e: ExportNode): void {
  const body = new BodyExport(e, subGraphOf(e, 'body'));
  const number = body.input('iteration', 'i64', []);
  body.input('condition', 'boolean', []);
  for (const { purpose, external, internal } of body.sub.inputs) {
    if (purpose !== 'current_iteration' || external >= 0) continue;
    const { type, shape } = body.parameter(internal).fact;
    const cast = type === 'i64' ? number : body.step('Cast', [number], 'number', { to: BigInt(onnxTypeOf(type)) });
    const axes = shape.map((_, i) => i);
    const shaped = axes.length === 0 ? cast : body.step('Unsqueeze', [cast, e.int64s(axes, 'axes')], 'numbers');
    body.bind(internal, shaped);
  }
  const cut = body.sub.inputs.flatMap(({ slicing, ...m }) => (slicing ? [{ ...m, slicing }] : []));
  const pieces = cut.map((m) => numberedPiece(e, body, m, number));
  const ports = bindPorts(e, body);
  body.operations();
  const condition = body.sub.outputs.find((m) => m.purpose === 'execution_condition' && m.external < 0);
  body.output(
    condition ? conditionOf(e, body, condition.internal) : e.constant(tensor('boolean', [], [1]), 'true'),
    'boolean',
    [],
  );
  for (const { from } of ports.states) body.resultOutput(from);
  const parts = ports.joined.map((m) => joinedOutput(e, body, m, { axis: 0, isReversed: false }));
  finish(
    e,
    'Loop',
    [atMost(e, tripCount(e), pieces), scalar(e, 1), ...ports.states.map((s) => s.initial)],
    ports,
    parts,
  );
}

function conditionOf(e: ExportNode, body: BodyExport, internal: number): string {
  const port = body.result(internal);
  const name = body.writer.nameOf(port);
  const axes = port.fact.shape.map((_, axis) => axis);
  return axes.length === 0 ? name : body.step('Squeeze', [name, e.int64s(axes, 'condition/axes')], 'condition');
}

/** A negative count is no limit here, and none of ONNX Runtime's iterations. */
function tripCount(e: ExportNode): string {
  const known = e.known(0);
  if (known) {
    const count = toIntegers(known)[0]!;
    return count < 0 ? '' : e.constant(tensor('i64', [], [count]), 'trips');
  }
  const count = e.cast(scalar(e, 0), e.type(0), 'i64', 'trips');
  if (isNeverNegative(e.port(0))) return count;
  const isEndless = e.step('Less', [count, e.scalar('i64', 0, 'zero')], 'endless');
  return e.step('Where', [isEndless, e.scalar('i64', 2 ** 62, 'most'), count], 'limit');
}

/** No more iterations than there are pieces of each input. */
function atMost(e: ExportNode, trips: string, pieces: readonly string[]): string {
  if (pieces.length === 0) return trips;
  const least = e.step('Min', trips === '' ? pieces : [trips, ...pieces], 'trips');
  return e.step('Squeeze', [least, e.int64s([0], 'trips/axes')], 'trips');
}

function isNeverNegative({ node }: OutputPort): boolean {
  const values = node.inputs.map((i) => i.source?.fact.value);
  return node.type === 'Maximum' && values.some((v) => v !== undefined && toIntegers(v).every((x) => x >= 0));
}

function scan(e: ExportNode): void {
  const body = new BodyExport(e, subGraphOf(e, 'body'));
  const { inputs, outputs } = body.sub;
  if ([...inputs, ...outputs].some((m) => m.external < 0)) e.unsupported('a condition or a count of iterations');
  const ports = bindPorts(e, body);
  const cuts = inputs.flatMap((m) => (m.slicing ? [cutInput(e, body, m.external, m.internal, m.slicing)] : []));
  body.operations();
  for (const { from } of ports.states) body.resultOutput(from);
  const places = ports.joined.map(({ internal, slicing }) => ({
    axis: normalizeAxis(slicing.axis, body.result(internal).fact.shape.length),
    isReversed: slicing.stride < 0,
  }));
  const parts = ports.joined.map((m, i) => joinedOutput(e, body, m, places[i]!));
  const flags = (list: readonly { readonly isReversed: boolean }[]) => bigints(list.map((c) => Number(c.isReversed)));
  const axes = (list: readonly { readonly axis: number }[]) => bigints(list.map((c) => c.axis));
  const attributes = {
    num_scan_inputs: BigInt(cuts.length),
    scan_input_axes: axes(cuts),
    scan_input_directions: flags(cuts),
    ...(places.length === 0 ? {} : { scan_output_axes: axes(places), scan_output_directions: flags(places) }),
  };
  finish(e, 'Scan', [...ports.states.map((s) => s.initial), ...cuts.map((c) => c.value)], ports, parts, attributes);
}
