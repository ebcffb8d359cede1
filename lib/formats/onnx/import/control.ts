/** If, Loop and Scan: a body that is known to run takes the place of its node, others become bodies of operations. */
import { limits } from '../../../errors/limits.ts';
import { LowpError } from '../../../errors/lowp-error.ts';
import { SubGraph } from '../../../graph/sub-graph.ts';
import { toFloat64 } from '../../../tensor/convert.ts';
import { hasRank, normalizeAxis } from '../../../tensor/shape.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { GraphProto } from '../onnx_pb.ts';
import { branch, mapCaptures } from './branch.ts';
import type { ImportNode, ReadBody, ValueImporterTable } from './import-node.ts';
import { type Cut, iterate } from './iteration.ts';
import { describe, isTensor, portsOf, type Value, withPorts } from './values.ts';

export const controlImporters: ValueImporterTable = { If: ifElse, Loop: loop, Scan: scan };

function ifElse(n: ImportNode): Value[] {
  const graphs = [n.attributes.graph('then_branch'), n.attributes.graph('else_branch')] as const;
  for (const graph of graphs) checkPorts(n, graph, 0, n.outputNames.length);
  const condition = n.input(0);
  const { value } = condition.fact;
  if (value) {
    const chosen = toFloat64(value)[0] === 0 ? 1 : 0;
    return [...n.bodies.inline(graphs[chosen], [], `${n.name}/${chosen === 0 ? 'then' : 'else'}`)];
  }
  const branches = possibleBranches(n, graphs);
  const [yes, no] = branches.map((b) => b.outputs.map(describe)) as [string[], string[]];
  const differs = yes.findIndex((text, i) => text !== no[i]);
  if (differs >= 0 || yes.length !== no.length) {
    n.unsupported(
      `output ${differs} is ${yes[differs]} in one branch and ${no[differs]} in the other; it must be known which of them runs`,
    );
  }
  const outside = [...new Set(branches.flatMap((b) => b.captures.map((c) => c.outside)))];
  const [then_body, else_body] = branches.map(({ model, captures }) => {
    const outputs = model.results().map((_, i) => ({ external: i, internal: i }));
    return new SubGraph(model, mapCaptures(model, captures, outside, 1), outputs);
  });
  const ports = n.addAll('If', { then_body, else_body }, [condition, ...outside]);
  return withPorts(branches[0]!.outputs, ports);
}

/**
 * The bodies of a node whose condition is not known. One that cannot be read for the shapes that are known can only be the
 * one that is not taken with them; it is read for any shapes, and taking it nevertheless is an error of the run.
 */
function possibleBranches(n: ImportNode, graphs: readonly GraphProto[]): ReadBody[] {
  let refusals = 0;
  return graphs.map((graph) => {
    try {
      return branch(n, graph);
    } catch (error) {
      if (!(error instanceof LowpError) || ++refusals === graphs.length) throw error;
      try {
        return branch(n, graph, 'any');
      } catch {
        throw error;
      }
    }
  });
}

/** Attributes and names of a body beside the numbers of its node. */
function checkPorts(n: ImportNode, graph: GraphProto, inputs: number, leastOutputs: number): void {
  const [given, wanted] = [graph.input.length, graph.output.length];
  if (given !== inputs) n.invalid(`its body '${graph.name}' has ${given} inputs, the node asks for ${inputs}`);
  if (wanted < leastOutputs) {
    n.invalid(`its body '${graph.name}' has ${wanted} outputs, the node asks for ${leastOutputs} or more`);
  }
}

/**
 * Inputs: trip count, condition, and values that iterations pass on. An absent condition is true in front of the first
 * iteration; the body's own condition counts all the same, as in ONNX Runtime.
 */
function loop(n: ImportNode): Value[] {
  const graph = n.attributes.graph('body');
  const carried = Array.from({ length: Math.max(0, n.inputCount - 2) }, (_, i) => n.value(i + 2));
  checkPorts(n, graph, 2 + carried.length, 1 + Math.max(carried.length, n.outputNames.length));
  const joined = graph.output.length - 1 - carried.length;
  const most = n.ints(0)?.[0];
  const begins = n.optional(1)?.fact.value;
  const isKnown = most !== undefined && (begins !== undefined || !n.optional(1));
  if (isKnown && (carried.some((v) => !isTensor(v)) || n.bodies.readsStructures(graph))) {
    const count = begins && toFloat64(begins)[0] === 0 ? 0 : Math.max(0, most);
    return writtenOut(n, graph, { count, carried, joined });
  }
  const heads = [tripCount(n), n.optional(1) ?? n.scalar('boolean', 1, 'condition')];
  const outputs = new Array<Cut>(joined).fill({ axis: 0, isReversed: false });
  return iterate(n, { type: 'Loop', graph, heads, carried, cut: [], joined: outputs });
}

/** −1 is a loop without limit in the model, and no iteration in the file. */
function tripCount(n: ImportNode) {
  const given = n.optional(0);
  if (!given) return n.scalar('i64', -1, 'endless');
  const known = n.ints(0)?.[0];
  if (known !== undefined) return n.scalar('i64', Math.max(0, known), 'trips');
  return n.step('Maximum', [n.converted(given, 'i64'), n.scalar('i64', 0, 'none')]);
}

/** The iterations one after the other in place of the loop. */
function writtenOut(
  n: ImportNode,
  graph: GraphProto,
  loop: { readonly count: number; readonly carried: readonly Value[]; readonly joined: number },
): Value[] {
  if (loop.count > limits.sequenceIterations.value) {
    n.unsupported(
      `a sequence passes through ${loop.count} iterations; at most ${limits.sequenceIterations.value} of them are written out`,
    );
  }
  const size = loop.carried.length;
  const kept: Value[][] = Array.from({ length: loop.joined }, () => []);
  let carried = loop.carried;
  for (let i = 0; i < loop.count; i++) {
    const inputs = [n.scalar('i64', i, `${i}/iteration`), n.scalar('boolean', 1, `${i}/condition`), ...carried];
    const outputs = n.bodies.inline(graph, inputs, `${n.name}/${i}`);
    const goesOn = outputs[0] && isTensor(outputs[0]) ? outputs[0].fact.value : undefined;
    if (!goesOn) {
      n.unsupported(
        `a sequence passes through its iterations, so their number must be known; iteration ${i} computes whether there is another`,
      );
    }
    carried = outputs.slice(1, 1 + size);
    for (const [k, list] of kept.entries()) list.push(outputs[1 + size + k]!);
    if (toFloat64(goesOn)[0] === 0) break;
  }
  return [...carried, ...kept.map((values, k) => joinedValues(n, values, size + k))];
}

function joinedValues(n: ImportNode, values: readonly Value[], output: number): Value {
  if (values.length === 0) return n.unsupported(`output ${output} joins the results of no iteration`);
  const parts = values.map((value) => {
    if (!isTensor(value)) return n.unsupported(`output ${output} joins iterations, which give ${describe(value)}`);
    return n.step('Unsqueeze', [value, n.indices([0], 'axes')]);
  });
  return n.step('Concat', parts, { axis: 0 });
}

/** Up to opset 8 with a batch in front of every value; since then with an axis for each input and output. */
function scan(n: ImportNode): Value[] {
  const graph = n.attributes.graph('body');
  const first = n.opset < 9 ? 1 : 0;
  const inputs = Array.from({ length: Math.max(0, n.inputCount - first) }, (_, i) => n.input(i + first));
  const count = n.attributes.int('num_scan_inputs') ?? n.attributes.fail('num_scan_inputs', 'is missing');
  const states = inputs.length - count;
  if (count < 1 || states < 0)
    n.attributes.fail('num_scan_inputs', `is ${count}, the node has ${inputs.length} inputs`);
  checkPorts(n, graph, inputs.length, Math.max(states, n.outputNames.length));
  const joined = graph.output.length - states;
  const list = (name: string, length: number): number[] => {
    const given = n.attributes.ints(name) ?? new Array<number>(length).fill(0);
    return given.length === length
      ? given
      : n.attributes.fail(name, `has ${given.length} elements, expected ${length}`);
  };
  const flags = (name: string, length: number): boolean[] =>
    list(name, length).map((d) =>
      d === 0 || d === 1 ? d === 1 : n.attributes.fail(name, `has ${d}, expected 0 or 1`),
    );
  if (first === 1) return batched(n, graph, { inputs, states, joined, isReversed: flags('directions', count) });
  const axes = list('scan_input_axes', count);
  const reversed = flags('scan_input_directions', count);
  const cut = axes.map((axis, i) => {
    const port = inputs[states + i]!;
    if (!hasRank(port.fact.shape))
      n.unsupported(`its input ${states + i}, which is cut on axis ${axis}, has no known rank`);
    return { port, axis: normalizeAxis(axis, port.fact.shape.length), isReversed: reversed[i]! };
  });
  const outputAxes = list('scan_output_axes', joined);
  const outputs = flags('scan_output_directions', joined).map((isReversed, i) => ({
    axis: outputAxes[i]!,
    isReversed,
  }));
  return iterate(n, {
    type: 'TensorIterator',
    graph,
    heads: [],
    carried: inputs.slice(0, states),
    cut,
    joined: outputs,
  });
}

/** Sample after sample; the axis behind the batch is that of the iterations. */
function batched(
  n: ImportNode,
  graph: GraphProto,
  scan: {
    readonly inputs: readonly Value[];
    readonly states: number;
    readonly joined: number;
    readonly isReversed: readonly boolean[];
  },
): Value[] {
  const ports = scan.inputs.flatMap(portsOf);
  const batch = ports[0]!.fact.shape[0] ?? n.invalid('its inputs have no batch');
  if (batch < 1 || ports.some((p) => p.fact.shape[0] !== batch)) {
    n.unsupported(`its inputs have the batches ${ports.map((p) => p.fact.shape[0])}; one that is known is expected`);
  }
  const [longest] = ports[scan.states]!.fact.shape.slice(1);
  if (n.knownInts(0, 'lengths of sequences')?.some((length) => length !== longest)) {
    n.unsupported('its sequences have different lengths');
  }
  const joined = new Array<Cut>(scan.joined).fill({ axis: 0, isReversed: false });
  const samples = Array.from({ length: batch }, (_, sample) => {
    const at = (name: string) => n.constant(tensor('i64', [], [name === 'axis' ? 0 : sample]), name);
    const inputs = ports.map((port) => n.step('Gather', [port, at('sample'), at('axis')], { batch_dims: 0 }));
    const cut = scan.isReversed.map((isReversed, i) => ({ port: inputs[scan.states + i]!, axis: 0, isReversed }));
    const carried = inputs.slice(0, scan.states);
    return iterate(n, { type: 'TensorIterator', graph, heads: [], carried, cut, joined });
  });
  return samples[0]!.map((_, output) =>
    joinedValues(
      n,
      samples.map((values) => values[output]!),
      output,
    ),
  );
}
