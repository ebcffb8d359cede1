// How far runs of a quantized model are from what it means, computed in doubles: INT8, the simulation in FP32, and
// simulations whose float constants are moved by a unit in the last place.
import type { Feeds, RunResult } from '../../lib/engines/engine.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { doubleEngine } from '../../lib/engines/reference-engine.ts';
import { removeNode, setConstant } from '../../lib/graph/edit.ts';
import { type Model, outputName } from '../../lib/graph/model.ts';
import { constantOf, type Node, type OutputPort } from '../../lib/graph/node.ts';
import { createNode } from '../../lib/ops/index.ts';
import { promoteHalf } from '../../lib/passes/index.ts';
import { runPasses } from '../../lib/passes/pass-manager.ts';
import { convert, toFloat32, toFloat64 } from '../../lib/tensor/convert.ts';
import { elementCount } from '../../lib/tensor/shape.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';

/** Distances of some values, in quantization steps. */
export interface Distance {
  readonly count: number;
  /** Share of the values that are more than half a step away. */
  readonly moved: number;
  /** 99.9th percentile. */
  readonly usual: number;
  readonly most: number;
}

/** Distances from the run in doubles, and of INT8 from the simulation. */
export interface Distances {
  readonly int8: Distance;
  readonly simulated: Distance;
  /** Of each simulation with moved constants. */
  readonly moved: readonly Distance[];
  readonly int8ToSimulated: Distance;
}

/** One model over all inputs. */
export interface Fidelity {
  /** Behind all quantizers of computed values together, each in its own steps. */
  readonly quantizers: Distances;
  /** By name. A step is the 255th part of the range that the output has over all inputs. */
  readonly outputs: ReadonlyMap<string, Distances>;
}

/** Operations that compute with the constants that they read; others take sizes, axes and limits from theirs. */
const computing = new Set([
  'Add',
  'Convolution',
  'ConvolutionBackpropData',
  'GroupConvolution',
  'MatMul',
  'Multiply',
  'PReLU',
  'Subtract',
]);

/** Operations that choose among values: a step in what they read may turn into any distance behind them. */
const choosing = new Set(['DetectionOutput', 'CTCGreedyDecoder', 'NonMaxSuppression', 'TopK', 'Proposal']);

/**
 * A copy in f32, as the native runtime computes it, whose outputs are continuous functions of its inputs: those of
 * choosing operations are replaced by what these read.
 */
export function measurable(source: Model): Model {
  const model = source.clone();
  runPasses(model, [promoteHalf]);
  const seen = new Set<OutputPort>();
  const stack = model.results().map((r) => r.source(0)!);
  for (const result of [...model.results()]) removeNode(model, result);
  for (let port = stack.shift(); port; port = stack.shift()) {
    if (seen.has(port) || port.node.type === 'Parameter' || !isComputed(port.node)) continue;
    seen.add(port);
    if (choosing.has(port.node.type)) stack.push(...port.node.inputs.flatMap((i) => i.source ?? []));
    else createNode(model, { type: 'Result', name: `result of ${port.node.name}`, inputs: [port] });
  }
  return model;
}

/** How many inputs are worth measuring: outputs of a few numbers have a range only over several. */
export function inputsFor(model: Model): number {
  const numbers = model.results().reduce((n, r) => n + elementCount(r.source(0)!.fact.shape), 0);
  return numbers < 1000 ? 8 : 2;
}

/** Feeds of the copy that `measurable` makes. */
export function inSinglePrecision(feeds: Feeds): Feeds {
  const entries = Object.entries(feeds).map(([name, t]) => [name, t.type === 'f16' ? convert(t, 'f32') : t] as const);
  return Object.fromEntries(entries);
}

/** Quantizers of values that depend on an input. */
export function activationQuantizers(model: Model): Node[] {
  return model.nodes().filter((n) => n.type === 'FakeQuantize' && isComputed(n));
}

function isComputed(node: Node): boolean {
  const stack = [node];
  const seen = new Set<Node>();
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (next.type === 'Parameter') return true;
    if (seen.has(next)) continue;
    seen.add(next);
    for (const { source } of next.inputs) if (source && !constantOf(source)) stack.push(source.node);
  }
  return false;
}

/** Step of the quantizer for element i of its output. */
export function stepsOf(node: Node): (i: number) => number {
  const [low, high] = [1, 2].map((k) => toFloat64(constantOf(node.source(k))!));
  const levels = Number(node.attributes.levels);
  const { shape } = node.output.fact;
  const inner = elementCount(shape.slice(2));
  const steps = low!.map((l, c) => (high![c]! - l) / (levels - 1));
  return steps.length === 1 ? () => steps[0]! : (i) => steps[Math.floor(i / inner) % shape[1]!]!;
}

/**
 * A copy whose float constants - weights, scales, biases, not the limits of quantizers - are moved by up to one unit in
 * the last place: no run in floats can be expected nearer to the doubles than such a neighbour.
 */
export function moveConstants(source: Model, seed: number): Model {
  const model = source.clone();
  const { next } = random(seed);
  for (const node of model.nodes()) {
    const value = node.type === 'Constant' ? node.output.fact.value : undefined;
    if (value?.type !== 'f32' || ![...node.output.consumers].every((c) => computing.has(c.node.type))) continue;
    const data = toFloat32(value).map((v) => v * (1 + (2 * next() - 1) * 2 ** -23));
    setConstant(node, { ...value, data });
  }
  return model;
}

/** Distances of many arrays, each with its own step. */
class Collector {
  private readonly parts: Float64Array[] = [];

  add(actual: Tensor, expected: Tensor, step: (i: number) => number): void {
    const [a, b] = [toFloat64(actual), toFloat64(expected)];
    this.parts.push(a.map((v, i) => Math.abs(v - b[i]!) / step(i)));
  }

  result(): Distance {
    const count = this.parts.reduce((n, p) => n + p.length, 0);
    const all = new Float64Array(count);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    all.sort();
    const moved = all.reduce((n, d) => n + (d > 0.5 ? 1 : 0), 0) / count;
    return { count, moved, usual: all[Math.ceil(0.999 * count) - 1]!, most: all[count - 1]! };
  }
}

/** Runs of one input. */
interface Runs {
  readonly exact: RunResult;
  readonly int8: RunResult;
  readonly simulated: RunResult;
  readonly moved: readonly RunResult[];
}

/** @param pick  the values of a run, each with its step */
function distancesOf(
  runs: readonly Runs[],
  pick: (run: RunResult) => readonly [Tensor, (i: number) => number][],
): Distances {
  const between = (of: (r: Runs) => RunResult, from: (r: Runs) => RunResult): Distance => {
    const collector = new Collector();
    for (const r of runs) {
      const expected = pick(from(r));
      for (const [i, [value, step]] of pick(of(r)).entries()) collector.add(value, expected[i]![0], step);
    }
    return collector.result();
  };
  return {
    int8: between(
      (r) => r.int8,
      (r) => r.exact,
    ),
    simulated: between(
      (r) => r.simulated,
      (r) => r.exact,
    ),
    moved: runs[0]!.moved.map((_, k) =>
      between(
        (r) => r.moved[k]!,
        (r) => r.exact,
      ),
    ),
    int8ToSimulated: between(
      (r) => r.int8,
      (r) => r.simulated,
    ),
  };
}

export interface MeasureOptions {
  readonly threads?: number;
  /** How many simulations with moved constants. */
  readonly neighbours: number;
}

/** Measures a model as {@link measurable} makes it. */
export async function measureFidelity(
  model: Model,
  inputs: readonly Feeds[],
  options: MeasureOptions,
): Promise<Fidelity> {
  const { threads = 1, neighbours } = options;
  const quantizers = activationQuantizers(model);
  const taps = quantizers.map((n) => n.output);
  const native = async (m: Model, simulate: boolean) => {
    const own = taps.map((port) => m.nodeById.get(port.node.id)!.outputs[port.index]!);
    // Outputs are those of a run without taps, which ends fusions.
    await using observed = await compileNative(m, { threads, simulate, taps: own });
    await using plain = await compileNative(m, { threads, simulate });
    const results: RunResult[] = [];
    for (const feeds of inputs) {
      const { taps: values } = await observed.run(feeds);
      results.push({ ...(await plain.run(feeds)), taps: values });
    }
    return results;
  };
  await using doubles = await doubleEngine.compile(model, { taps });
  const exact: RunResult[] = [];
  for (const feeds of inputs) exact.push(await doubles.run(feeds));
  const int8 = await native(model, false);
  const simulated = await native(model, true);
  const moved: RunResult[][] = [];
  for (let seed = 1; seed <= neighbours; seed++) moved.push(await native(moveConstants(model, seed), true));
  const runs = inputs.map((_, i): Runs => {
    return { exact: exact[i]!, int8: int8[i]!, simulated: simulated[i]!, moved: moved.map((m) => m[i]!) };
  });
  const steps = quantizers.map(stepsOf);
  const outputs = new Map<string, Distances>();
  for (const name of model.results().map(outputName)) {
    const step = rangeOf(exact.map((r) => r.outputs[name]!)) / 255;
    outputs.set(
      name,
      distancesOf(runs, (r) => [[r.outputs[name]!, () => step]]),
    );
  }
  return { quantizers: distancesOf(runs, (r) => r.taps.map((t, i) => [t, steps[i]!] as const)), outputs };
}

function rangeOf(values: readonly Tensor[]): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const t of values) {
    for (const v of toFloat64(t)) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  return high - low;
}
