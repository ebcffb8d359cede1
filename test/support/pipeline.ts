// Runs algorithms on small networks in tests.
import type { Algorithm } from '../../lib/algorithms/algorithm.ts';
import { type PipelineContext, type PipelineResult, runPipeline } from '../../lib/algorithms/pipeline.ts';
import type { Feeds } from '../../lib/engines/engine.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import type { Model } from '../../lib/graph/model.ts';
import { inferModel } from '../../lib/ops/infer-model.ts';
import { rolesFor } from '../../lib/quantization/roles.ts';
import { type TargetDescription, targetOf } from '../../lib/targets/index.ts';
import { toFloat32 } from '../../lib/tensor/convert.ts';

/** What a pipeline left behind. */
export interface Ran extends PipelineResult {
  readonly work: Model;
  readonly warnings: readonly string[];
}

/** The algorithms on a copy of the model, by the reference evaluation. */
export async function runAlgorithms(
  model: Model,
  algorithms: readonly Algorithm[],
  samples: readonly Feeds[],
  options: { readonly target?: TargetDescription; readonly subsetSize?: number } = {},
): Promise<Ran> {
  const warnings: string[] = [];
  const context: PipelineContext = {
    original: model,
    work: model.clone(),
    roles: rolesFor(options.target ?? targetOf('CPU')),
    engine: referenceEngine,
    warn: (message) => warnings.push(message),
  };
  const source = { [Symbol.asyncIterator]: () => streamed(samples.map((feeds) => ({ feeds, samples: 1 }))) };
  const result = await runPipeline(algorithms, context, source, options.subsetSize ?? samples.length);
  inferModel(context.work);
  return { ...result, work: context.work, warnings };
}

export async function* streamed<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** The only output for each sample. */
export async function outputsOf(model: Model, samples: readonly Feeds[]): Promise<Float32Array[]> {
  const executable = await referenceEngine.compile(model);
  const outputs: Float32Array[] = [];
  for (const feeds of samples) outputs.push(toFloat32(Object.values((await executable.run(feeds)).outputs)[0]!));
  return outputs;
}

/** Values of a constant behind an input of a node. */
export function constantAt(model: Model, name: string, port: number): number[] {
  return Array.from(model.node(name).source(port)!.fact.value!.data, Number);
}

/** The bias of a product: the constant of the sum behind it. */
export function biasOf(model: Model, name: string): number[] {
  const [reader] = model.node(name).output.consumers;
  return constantAt(model, reader!.node.name, 1 - reader!.index);
}
