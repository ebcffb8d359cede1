// Time, kernel and achieved speed of every layer of a model.

import { randomTensor } from '../data/synthetic.ts';
import { compileNative } from '../engines/native-engine.ts';
import type { Model } from '../graph/model.ts';
import { type BenchmarkOptions, benchmarkInputs } from './run.ts';

export interface LayerTime {
  readonly name: string;
  readonly kernel: string;
  /** The variant of the kernel that ran; for `host` why the node is there. */
  readonly row: string;
  /** Mean over the runs. */
  readonly ms: number;
  /** Of the sum over all layers. */
  readonly share: number;
  /** 10^9 operations per second; a multiply-add is two. */
  readonly gops: number;
  /** 10^9 bytes of operands per second, weights included; each counts once. */
  readonly gbps: number;
}

/** All layers of one kernel. */
export interface KernelTime {
  readonly kernel: string;
  readonly layers: number;
  readonly ms: number;
  readonly share: number;
  readonly gops: number;
}

/** Sums by kernel, the most expensive first. */
export function kernelTimes(layers: readonly LayerTime[]): KernelTime[] {
  const sums = new Map<string, { layers: number; ms: number; share: number; work: number }>();
  for (const l of layers) {
    const sum = sums.get(l.kernel) ?? { layers: 0, ms: 0, share: 0, work: 0 };
    sum.layers++;
    sum.ms += l.ms;
    sum.share += l.share;
    sum.work += l.gops * l.ms;
    sums.set(l.kernel, sum);
  }
  return [...sums]
    .map(([kernel, { work, ...sum }]) => ({ kernel, ...sum, gops: sum.ms > 0 ? work / sum.ms : 0 }))
    .sort((a, b) => b.ms - a.ms);
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
      gbps: t.ms > 0 ? t.bytes / t.ms / 1e6 : 0,
    }));
  } finally {
    await executable.close();
  }
}
