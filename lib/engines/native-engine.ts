// Runs models on the native runtime; operations without a kernel are evaluated on the host in between.
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import { addNode, removeNode } from '../graph/edit.ts';
import { inputName, type Model, outputName } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { evaluatePort } from '../lowering/int8/weights.ts';
import { type Lowered, lower } from '../lowering/lower.ts';
import { type ObservedPort, type ObservedRank, observedOutputs } from '../lowering/observe.ts';
import { constantNodes, partition, type Step } from '../lowering/partition.ts';
import { compileProgram, type NativeExecutable } from '../native/executable.ts';
import { inferModel } from '../ops/infer-model.ts';
import { getOp } from '../ops/registry.ts';
import { prepareForExecution, prepareForObservation } from '../passes/index.ts';
import { convert } from '../tensor/convert.ts';
import type { ElementType, TensorData } from '../tensor/element-type.ts';
import { elementCount, formatShape, normalizeAxis } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Bodies } from './bodies.ts';
import type {
  CompileOptions,
  Engine,
  Executable,
  Feeds,
  Observation,
  ObservePoint,
  RunOptions,
  RunResult,
} from './engine.ts';
import { evaluateNamed } from './evaluate-named.ts';
import { checkFeeds, feedOf } from './feeds.ts';
import { HistogramCounter, observe } from './observe.ts';
import { interpolate, quantilePosition } from './quantile-ranks.ts';
import { VariableRun } from './variables.ts';

/** A part of a compiled model: native calls, or one node on the host. */
export type CompiledStep =
  | (Extract<Step, { kind: 'native' }> & {
      /** Lowers the nodes again, to show how: the program with its constants is not kept. */
      readonly lower: () => Lowered;
      readonly executable: NativeExecutable;
      readonly observed: readonly WatchedPort[];
      /** Where runs write their results in turns; undefined when each has arrays of its own. */
      readonly kept: KeptOutputs | undefined;
    })
  | Extract<Step, { kind: 'host' }>;

/** An executable that shows how it was compiled. */
export interface NativeModelExecutable extends Executable {
  /** The model as it is executed. */
  readonly model: Model;
  readonly steps: readonly CompiledStep[];
  /** Mean time of every native call and of every node on the host over some runs, in order of execution. */
  profile(feeds: Feeds, runs: number): Promise<CallTime[]>;
}

/** Time of one kernel call, or of one node on the host. */
export interface CallTime {
  readonly name: string;
  /** `host` for a node that has no kernel. */
  readonly kernel: string;
  /** The variant of the kernel; for a node on the host why it is there. */
  readonly row: string;
  readonly ms: number;
  /** Arithmetic operations of one run; 0 on the host. */
  readonly operations: number;
  /** Of all operands together; 0 on the host. */
  readonly bytes: number;
}

/** The native runtime. */
export const nativeEngine = { name: 'CPU', compile: compileNative } satisfies Engine;

/** The native runtime in FP32: what FakeQuantize means, without the arithmetic of bytes. */
export const simulatingEngine = {
  name: 'CPU_FP32',
  compile: (model: Model, options: CompileOptions = {}) => compileNative(model, { ...options, simulate: true }),
} satisfies Engine;

/**
 * Compiles a model for the native runtime.
 *
 * @throws {LowpError} `ERR_SHAPE_DYNAMIC` when an input has no static shape and `options.shapes` gives none
 */
export async function compileNative(source: Model, options: CompileOptions = {}): Promise<NativeModelExecutable> {
  throwIfAborted(options.signal);
  const model = source.clone();
  inferModel(model, options.shapes);
  requireStaticInputs(model);
  const twin = (port: OutputPort): OutputPort => model.nodeById.get(port.node.id)!.outputs[port.index]!;
  const wanted = [...(options.taps ?? []), ...(options.observe ?? []).map((o) => o.port)].map(twin);
  // Half precision is computed in f32; what is fed and returned keeps the types of the model.
  const types = new Map([
    ...model.parameters().map((p) => [p, p.output.fact.type] as const),
    ...model.results().map((r) => [r, r.source(0)!.fact.type] as const),
  ]);
  const tapTypes = wanted.map((port) => port.fact.type);
  const ports = prepare(model, wanted);
  const taps = ports.slice(0, options.taps?.length ?? 0);
  const watched = ports.slice(taps.length);
  const results = options.outputs === false ? [] : model.results();
  const constants = constantNodes(model);
  const observed = (options.observe ?? []).map((point, i) => watch(point, watched[i]!, `observation ${i}`));
  const steps: CompiledStep[] = [];
  try {
    const returned = results.map((r) => r.source(0)!);
    for (const step of partition(model, [...returned, ...taps], watched))
      steps.push(await compileStep(step, observed, options));
  } catch (error) {
    for (const step of steps) if (step.kind === 'native') await step.executable.close();
    throw error;
  }
  const isConstant = (port: OutputPort): boolean => port.fact.value !== undefined || constants.has(port.node);
  const { threads, maxIsa, simulate } = options;
  const bodies = new Bodies((body, shapes) =>
    compileNative(body, {
      shapes,
      ...(threads === undefined ? {} : { threads }),
      ...(maxIsa === undefined ? {} : { maxIsa }),
      ...(simulate === undefined ? {} : { simulate }),
    }),
  );
  return new NativeModel({ model, steps, results, taps, tapTypes, types, observed, isConstant, bodies });
}

/** A value that a program observes, and the point that asked for it. */
interface WatchedPort extends ObservedPort {
  readonly point: ObservePoint;
  /** Elements behind each number. */
  readonly count: number;
}

function watch(point: ObservePoint, port: OutputPort, name: string): WatchedPort {
  const { granularity, channelAxis = 1, items = 1, quantiles = [], histogram = false, mean = true } = point;
  const { shape } = port.fact;
  const channels = granularity === 'perChannel' ? shape[normalizeAxis(channelAxis, shape.length)]! : 1;
  const count = elementCount(shape) / Math.max(1, items * channels);
  const ranks = quantiles.map(({ share, isAbsolute }): ObservedRank => {
    return { rank: quantilePosition(count, share).below, isAbsolute };
  });
  const place = { point, count, port, name, items, ranks, histogram, mean };
  return { ...place, ...(granularity === 'perChannel' ? { axis: channelAxis } : {}) };
}

/**
 * Runs the passes that execution needs, without losing ports that are wanted besides the outputs.
 *
 * @returns  where those values are afterwards: constants may have been computed
 */
function prepare(model: Model, wanted: readonly OutputPort[]): readonly OutputPort[] {
  if (wanted.length === 0) {
    prepareForExecution(model);
    return [];
  }
  const sinks = wanted.map((port) => addNode(model, { type: 'Result', name: 'wanted', inputs: [port], outputs: [] }));
  prepareForObservation(model);
  return sinks.map((sink) => {
    const port = sink.source(0)!;
    removeNode(model, sink);
    return port;
  });
}

async function compileStep(
  step: Step,
  observed: readonly WatchedPort[],
  options: CompileOptions,
): Promise<CompiledStep> {
  if (step.kind === 'host') return step;
  const nodes = new Set(step.nodes);
  const inputs = new Set(step.inputs);
  const mine = observed.filter(
    (o) => nodes.has(o.port.node) || (inputs.has(o.port) && o.port.node.type === 'Parameter'),
  );
  const lowerStep = (): Lowered =>
    lower({
      nodes: step.nodes,
      inputs: step.inputs,
      outputs: step.outputs,
      observe: mine,
      ...(options.simulate ? { simulate: true } : {}),
    });
  const executable = compileProgram(lowerStep().program, {
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.streams === undefined ? {} : { streams: options.streams }),
    ...(options.maxIsa === undefined ? {} : { maxIsa: options.maxIsa }),
  });
  return {
    ...step,
    lower: lowerStep,
    executable,
    observed: mine,
    kept: options.overwrites ? { turns: [], runs: 0 } : undefined,
  };
}

function requireStaticInputs(model: Model): void {
  for (const parameter of model.parameters()) {
    const { shape } = parameter.output.fact;
    if (shape.every((d) => d >= 0)) continue;
    throw new LowpError(
      'ERR_SHAPE_DYNAMIC',
      `input '${inputName(parameter)}' has the dynamic shape ${formatShape(shape)}`,
      {
        node: parameter.name,
        help: 'Give the shape, for example --shape NAME=1,3,224,224.',
      },
    );
  }
}

/** What compilation leaves behind for running. */
interface CompiledModel {
  readonly model: Model;
  readonly steps: readonly CompiledStep[];
  /** The `Result` nodes whose values are returned. */
  readonly results: readonly Node[];
  readonly taps: readonly OutputPort[];
  readonly tapTypes: readonly ElementType[];
  /** Element types that users feed, by `Parameter`, and get, by `Result`. */
  readonly types: ReadonlyMap<Node, ElementType>;
  readonly observed: readonly WatchedPort[];
  isConstant(port: OutputPort): boolean;
  readonly bodies: Bodies;
}

class NativeModel implements NativeModelExecutable {
  readonly model: Model;
  readonly steps: readonly CompiledStep[];
  readonly streams: number;
  private readonly compiled: CompiledModel;
  private isClosed = false;
  private readonly constants = new Map<OutputPort, Tensor>();
  /** Of values that no native step observes. */
  private readonly counter = new HistogramCounter();
  /** Time of nodes on the host while a profile is taken. */
  private hostMs: Map<Node, number> | undefined;

  constructor(compiled: CompiledModel) {
    this.model = compiled.model;
    this.steps = compiled.steps;
    this.streams = compiled.steps.reduce(
      (most, s) => (s.kind === 'native' ? Math.max(most, s.executable.streams) : most),
      1,
    );
    this.compiled = compiled;
  }

  async run(feeds: Feeds, options: RunOptions = {}): Promise<RunResult> {
    if (this.isClosed) throw new LowpError('ERR_RUN_CLOSED', 'the executable is closed');
    throwIfAborted(options.signal);
    const { types, results, taps, tapTypes, observed } = this.compiled;
    const values = new Map<OutputPort, Tensor>();
    checkFeeds(this.model, feeds, {}, types);
    for (const { output } of this.model.parameters())
      values.set(output, convert(feedOf(output.node, feeds)!, output.fact.type));
    const observations = new Map<WatchedPort, Observation>();
    const variables = new VariableRun(options.variables);
    for (const step of this.steps) {
      if (step.kind === 'host') await this.runOnHost(step.node, values, variables, options.signal);
      else await runNative(step, values, observations, options.signal);
      throwIfAborted(options.signal);
    }
    variables.commit();
    const value = (port: OutputPort): Tensor => values.get(port) ?? this.constant(port);
    const outputs: Record<string, Tensor> = {};
    for (const result of results) {
      outputs[outputName(result)] = convert(value(result.source(0)!), types.get(result)!);
    }
    return {
      outputs,
      observations: observed.map((o) => observations.get(o) ?? this.observeHere(value(o.port), o.point)),
      taps: taps.map((port, i) => convert(value(port), tapTypes[i]!)),
    };
  }

  private observeHere(value: Tensor, point: ObservePoint): Observation {
    this.counter.count(value, point);
    return observe(value, point);
  }

  async histograms(): Promise<readonly (Float64Array | undefined)[]> {
    const counts = new Map<WatchedPort, Float64Array>();
    for (const step of this.steps) {
      if (step.kind === 'host' || step.observed.length === 0) continue;
      const totals = await step.executable.totals();
      let at = step.outputs.length;
      for (const observed of step.observed) {
        at += observedOutputs(observed).length;
        const own = totals[at - 1];
        if (own) counts.set(observed, own);
      }
    }
    return this.compiled.observed.map((o) => counts.get(o) ?? this.counter.of(o.point)?.slice());
  }

  async profile(feeds: Feeds, runs: number): Promise<CallTime[]> {
    const native = this.steps.flatMap((s) => (s.kind === 'native' ? [s.executable] : []));
    for (const executable of native) executable.profile(true);
    const hostMs = new Map<Node, number>();
    this.hostMs = hostMs;
    try {
      for (let i = 0; i < runs; i++) await this.run(feeds);
    } finally {
      this.hostMs = undefined;
    }
    const times = this.steps.flatMap((step): CallTime[] =>
      step.kind === 'native' ? nativeTimes(step.executable) : [hostTime(step, (hostMs.get(step.node) ?? 0) / runs)],
    );
    for (const executable of native) executable.profile(false);
    return times;
  }

  private async runOnHost(
    node: Node,
    values: Map<OutputPort, Tensor>,
    variables: VariableRun,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const begin = performance.now();
    const inputs = node.inputs.map((i) => i.source && (values.get(i.source) ?? this.valueOf(i.source)));
    const { control, variable } = getOp(node.type, node.notes.opset);
    const outputs = variable
      ? variables.evaluate(node, inputs)
      : control
        ? await this.compiled.bodies.run(node, inputs, signal)
        : evaluateNamed(node, inputs);
    for (const [i, out] of node.outputs.entries()) values.set(out, outputs[i]!);
    this.hostMs?.set(node, (this.hostMs.get(node) ?? 0) + performance.now() - begin);
  }

  /** What does not depend on inputs is computed once: dequantized tables are large. */
  private valueOf(port: OutputPort): Tensor {
    const known = this.constants.get(port);
    if (known) return known;
    const value = evaluatePort(port);
    this.constants.set(port, value);
    return value;
  }

  private constant(port: OutputPort): Tensor {
    if (!this.compiled.isConstant(port)) throw new LowpError('ERR_INTERNAL', `'${port.node.name}' was not computed`);
    return this.valueOf(port);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const step of this.steps) if (step.kind === 'native') await step.executable.close();
    await this.compiled.bodies.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function nativeTimes(executable: NativeExecutable): CallTime[] {
  return executable.profileData().map(({ name, kernel, row, runs, totalNs, operations, bytes }) => {
    const ms = runs > 0 ? totalNs / runs / 1e6 : 0;
    return { name, kernel, row, ms, operations, bytes };
  });
}

function hostTime({ node, reason }: Extract<CompiledStep, { kind: 'host' }>, ms: number): CallTime {
  return { name: node.name, kernel: 'host', row: reason, ms, operations: 0, bytes: 0 };
}

async function runNative(
  step: Extract<CompiledStep, { kind: 'native' }>,
  values: Map<OutputPort, Tensor>,
  observations: Map<WatchedPort, Observation>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const inputs = step.inputs.map((p) => values.get(p)!.data);
  const turn = step.kept ? step.kept.runs++ % runsAtATime : 0;
  const known = step.kept?.turns[turn];
  const arrays = await step.executable.run(inputs, {
    ...(signal ? { signal } : {}),
    ...(step.observed.length > 0 ? { grouped: step.outputs.length } : {}),
    ...(known ? { into: known.arrays } : {}),
  });
  const { tensors, rows } = known ?? resultsOf(step, arrays);
  for (let i = 0; i < tensors.length; i++) values.set(step.outputs[i]!, tensors[i]!);
  for (let i = 0; i < rows.length; i++) observations.set(step.observed[i]!, rows[i]!);
  if (step.kept && !known) step.kept.turns[turn] = { arrays, tensors, rows };
}

/** What a native step writes, and how it is read. */
interface StepResults {
  readonly arrays: readonly TensorData[];
  readonly tensors: readonly Tensor[];
  readonly rows: readonly ObservedRows[];
}

/** Runs that `overwrites` allows at a time. */
const runsAtATime = 2;

interface KeptOutputs {
  readonly turns: StepResults[];
  /** How many were begun. */
  runs: number;
}

function resultsOf(
  step: Extract<CompiledStep, { kind: 'native' }>,
  arrays: readonly TensorData[],
): Omit<StepResults, 'arrays'> {
  const tensors = step.outputs.map((port, i): Tensor => {
    const { type, shape } = port.fact;
    return { type, shape, data: arrays[i]! };
  });
  let at = step.outputs.length;
  const rows = step.observed.map((observed) => {
    const count = observedOutputs(observed).length;
    const rows = arrays.slice(at, at + count) as Float32Array[];
    at += count;
    return new ObservedRows(observed, rows);
  });
  return { tensors, rows };
}

/** What observers write - five rows, two for each quantile -, as it is when it is read. */
class ObservedRows implements Observation {
  readonly min: Float32Array;
  readonly max: Float32Array;
  readonly absMax: Float32Array;
  readonly mean: Float32Array;
  private readonly broken: Float32Array;
  private readonly observed: WatchedPort;
  private readonly neighbours: readonly Float32Array[];

  constructor(observed: WatchedPort, [rows, ...others]: readonly Float32Array[]) {
    this.observed = observed;
    this.neighbours = others.slice(0, observed.ranks.length);
    const n = rows!.length / 5;
    const row = (i: number): Float32Array => rows!.subarray(i * n, (i + 1) * n);
    this.min = row(0);
    this.max = row(1);
    this.absMax = row(2);
    this.mean = row(3);
    this.broken = row(4);
  }

  get nonFinite(): number {
    let sum = 0;
    for (let i = 0; i < this.broken.length; i++) sum += this.broken[i]!;
    return sum;
  }

  get quantiles(): readonly Float32Array[] {
    const { point, count } = this.observed;
    const results = this.min.length;
    return this.neighbours.map((pair, i) => {
      const { share } = quantilePosition(count, point.quantiles![i]!.share);
      return pair.subarray(0, results).map((low, r) => interpolate(low, pair[results + r]!, share));
    });
  }
}
