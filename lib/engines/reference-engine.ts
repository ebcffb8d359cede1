// The reference: evaluates a model node by node in doubles. It defines what the other engines must compute.
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import { type Model, outputName } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { getOp } from '../ops/registry.ts';
import { convert } from '../tensor/convert.ts';
import { isFloat } from '../tensor/element-type.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CompileOptions, Engine, Executable, Feeds, Observation, RunOptions, RunResult } from './engine.ts';
import { evaluateNamed } from './evaluate-named.ts';
import { checkFeeds, feedOf } from './feeds.ts';
import { HistogramCounter, observe } from './observe.ts';
import { assignments, VariableRun, variableOf } from './variables.ts';

/**
 * Evaluates every operation by its own definition, with double accumulation inside a node and the element types of the
 * model between nodes. Later changes of the model do not reach a compiled copy.
 */
export const referenceEngine = {
  name: 'REFERENCE',
  compile: (model: Model, options: CompileOptions = {}) => compileReference(model, options, (t) => t),
} satisfies Engine;

/**
 * The reference with doubles between nodes too, where the model has narrower floats: quantizers round doubles, and what
 * it returns is f64. It tells how far the float arithmetic of the other engines is from what a model means.
 */
export const doubleEngine = {
  name: 'REFERENCE_FP64',
  compile: (model: Model, options: CompileOptions = {}) =>
    compileReference(model, options, (t) => (isFloat(t.type) ? convert(t, 'f64') : t)),
} satisfies Engine;

/** @param read  what becomes of every value that a node reads, and of every result */
async function compileReference(
  model: Model,
  options: CompileOptions,
  read: (value: Tensor) => Tensor,
): Promise<Executable> {
  throwIfAborted(options.signal);
  const copy = model.clone();
  const twin = (port: OutputPort): OutputPort => copy.nodeById.get(port.node.id)!.outputs[port.index]!;
  const twins = {
    ...options,
    taps: (options.taps ?? []).map(twin),
    observe: (options.observe ?? []).map((point) => ({ ...point, port: twin(point.port) })),
  };
  return new ReferenceExecutable(copy, twins, read);
}

class ReferenceExecutable implements Executable {
  readonly streams = 1;
  private readonly model: Model;
  private readonly options: CompileOptions;
  private readonly order: readonly Node[];
  /** Values that depend on no input, kept from the first run on. */
  private readonly constants = new Map<Node, readonly Tensor[]>();
  private readonly constantNodes: ReadonlySet<Node>;
  private readonly counter = new HistogramCounter();
  private closed = false;
  private readonly read: (value: Tensor) => Tensor;

  constructor(model: Model, options: CompileOptions, read: (value: Tensor) => Tensor) {
    this.model = model;
    this.options = options;
    this.read = read;
    this.order = neededNodes(model, [...(options.taps ?? []), ...(options.observe ?? []).map((point) => point.port)]);
    for (const node of this.order) requireEvaluation(node);
    this.constantNodes = independentNodes(this.order);
  }

  /**
   * Runs the model once.
   *
   * @throws {LowpError} `ERR_RUN_INPUT` for feeds that do not fit, `ERR_ABORTED`, `ERR_RUN_CLOSED`, and what the evaluation
   *   of a node throws, which names it
   */
  async run(feeds: Feeds, options: RunOptions = {}): Promise<RunResult> {
    if (this.closed) throw new LowpError('ERR_RUN_CLOSED', `the session of '${this.model.name}' is closed`);
    checkFeeds(this.model, feeds, this.options.shapes ?? {});
    const variables = new VariableRun(options.variables);
    const values = new Values(this.order, this.model, this.options, this.counter);
    for (const node of this.order) {
      throwIfAborted(options.signal);
      const inputs = node.inputs.map((i) => i.source && values.get(i.source));
      values.set(
        node,
        node.type === 'Parameter' ? [this.read(feedOf(node, feeds)!)] : this.evaluate(node, inputs, variables),
      );
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    throwIfAborted(options.signal);
    variables.commit();
    return values.result();
  }

  private evaluate(node: Node, inputs: readonly (Tensor | undefined)[], variables: VariableRun): readonly Tensor[] {
    if (variableOf(node)) {
      const { type } = node.output.fact;
      const stored = inputs.map((t) => t && convert(t, type));
      return variables.evaluate(node, stored).map(this.read);
    }
    const known = this.constants.get(node);
    if (known) return known;
    const outputs = evaluateNamed(node, inputs).map(this.read);
    if (this.constantNodes.has(node)) this.constants.set(node, outputs);
    return outputs;
  }

  async histograms(): Promise<readonly (Float64Array | undefined)[]> {
    return (this.options.observe ?? []).map((point) => this.counter.of(point)?.slice());
  }

  async close(): Promise<void> {
    this.closed = true;
    this.constants.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The values of one run: kept until the last reader is done, reduced as soon as they exist. */
class Values {
  private readonly byPort = new Map<OutputPort, Tensor>();
  private readonly readers = new Map<OutputPort, number>();
  private readonly kept: ReadonlySet<OutputPort>;
  private readonly model: Model;
  private readonly options: CompileOptions;
  private readonly observations: Observation[];
  private readonly counter: HistogramCounter;

  constructor(order: readonly Node[], model: Model, options: CompileOptions, counter: HistogramCounter) {
    this.model = model;
    this.options = options;
    this.counter = counter;
    this.observations = new Array<Observation>(options.observe?.length ?? 0);
    this.kept = new Set([...(options.taps ?? []), ...model.results().map((r) => r.output)]);
    for (const node of order) {
      for (const { source } of node.inputs) if (source) this.readers.set(source, (this.readers.get(source) ?? 0) + 1);
    }
  }

  /** The value of a port, read once. */
  get(port: OutputPort): Tensor {
    const value = this.byPort.get(port)!;
    const left = this.readers.get(port)! - 1;
    this.readers.set(port, left);
    if (left === 0 && !this.kept.has(port)) this.byPort.delete(port);
    return value;
  }

  set(node: Node, outputs: readonly Tensor[]): void {
    for (const [i, port] of node.outputs.entries()) {
      const value = outputs[i];
      if (!value) continue;
      if (this.kept.has(port) || (this.readers.get(port) ?? 0) > 0) this.byPort.set(port, value);
      for (const [at, point] of (this.options.observe ?? []).entries()) {
        if (point.port !== port) continue;
        this.observations[at] = observe(value, point);
        this.counter.count(value, point);
      }
    }
  }

  result(): RunResult {
    const outputs: Record<string, Tensor> = {};
    for (const node of this.model.results()) outputs[outputName(node)] = this.byPort.get(node.output)!;
    const taps = (this.options.taps ?? []).map((port) => this.byPort.get(port)!);
    return { outputs, observations: this.observations, taps };
  }
}

/** Nodes that outputs, inputs and the given ports depend on, producers first. */
function neededNodes(model: Model, ports: readonly OutputPort[]): Node[] {
  const needed = new Set<Node>();
  const stack = [...model.parameters(), ...model.results(), ...assignments(model), ...ports.map((p) => p.node)];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) if (input.source) stack.push(input.source.node);
  }
  return model.nodes().filter((n) => needed.has(n));
}

/** Nodes whose value is the same in every run. */
function independentNodes(order: readonly Node[]): Set<Node> {
  const found = new Set<Node>();
  for (const node of order) {
    const { stateful } = getOp(node.type, node.notes.opset, node.name);
    const isFree = node.inputs.every((i) => !i.source || found.has(i.source.node));
    if (isFree && !stateful && node.type !== 'Parameter') found.add(node);
  }
  return found;
}

function requireEvaluation(node: Node): void {
  const { evaluate, variable } = getOp(node.type, node.notes.opset, node.name);
  if (node.type === 'Parameter' || evaluate || variable) return;
  throw new LowpError('ERR_OP_UNSUPPORTED', `${node.type} '${node.name}' cannot be evaluated`, { node: node.name });
}
