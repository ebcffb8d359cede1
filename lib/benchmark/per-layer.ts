// Time, kernel and achieved speed of every layer of a model.

import { randomTensor } from '../data/synthetic.ts';
import { compileNative } from '../engines/native-engine.ts';
import type { Model } from '../graph/model.ts';
import { type BenchmarkOptions, benchmarkInputs } from './run.ts';

export interface LayerTime {
  readonly name: string;
  readonly kernel: string;
  /** The variant of the kernel that ran. */
  readonly row: string;
  /** Mean over the runs. */
  readonly ms: number;
  /** Of the sum over all layers. */
  readonly share: number;
  /** 10^9 operations per second; a multiply-add is two. */
  readonly gops: number;
}

/** Runs that are profiled, after as many that are not. */
const runs = 20;

/** Profiles a model on random data. */
export async function profileLayers(model: Model, options: BenchmarkOptions): Promise<LayerTime[]> {
  const inputs = benchmarkInputs(model, options);
  const feeds = Object.fromEntries(inputs.map((input, i) => [input.name, randomTensor(input, i)]));
  const executable = await compileNative(model, {
    ...options,
    shapes: Object.fromEntries(inputs.map((i) => [i.name, i.shape])),
  });
  try {
    for (let i = 0; i < runs; i++) await executable.run(feeds, options.signal ? { signal: options.signal } : {});
    const times = await executable.profile(feeds, runs);
    const total = times.reduce((sum, t) => sum + t.ms, 0);
    return times.map((t) => ({
      name: t.name,
      kernel: t.kernel,
      row: t.row,
      ms: t.ms,
      share: total > 0 ? t.ms / total : 0,
      gops: t.ms > 0 ? t.operations / t.ms / 1e6 : 0,
    }));
  } finally {
    await executable.close();
  }
}
