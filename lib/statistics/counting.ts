// An executable with the histograms that it keeps until it is closed.
import type { Executable, RunOptions, RunResult } from '../engines/engine.ts';
import { floatBins } from '../util/float-bins.ts';
import type { Batch } from './batches.ts';
import type { CountAnswer } from './plan.ts';

/** Counts of the points of an executable, as it gives them. */
type Counts = readonly (Float64Array | undefined)[];

/** What was counted before a run in which not every item counts. */
interface Before {
  readonly counts: Counts;
  readonly samples: number;
}

/** Runs batches, and hands out what was counted of their samples at the end. */
export class CountingExecutable {
  /** By point, how many parts of its value are observed apart. */
  readonly items: readonly number[];
  private readonly executable: Executable;
  private readonly answers: readonly CountAnswer[];
  private before: Before | undefined;
  /** By answer, what was counted of items that do not count. */
  private readonly surplus: readonly Float64Array[];

  constructor(executable: Executable, items: readonly number[], answers: readonly CountAnswer[]) {
    this.executable = executable;
    this.items = items;
    this.answers = answers;
    this.surplus = answers.map(() => new Float64Array(floatBins));
  }

  async run({ feeds, samples }: Batch, options: RunOptions): Promise<RunResult> {
    await this.settle();
    const isPartial = this.answers.some(({ point }) => this.items[point]! > Math.max(1, samples));
    if (isPartial) this.before = { counts: await this.executable.histograms(), samples };
    return this.executable.run(feeds, options);
  }

  /** Adds what was counted so far to the answers. Once, behind the last run. */
  async handOut(): Promise<void> {
    await this.settle();
    const counts = await this.executable.histograms();
    for (const [i, { point, accumulator }] of this.answers.entries()) {
      const values = sumOfItems(counts[point]!);
      for (const [bin, surplus] of this.surplus[i]!.entries()) values[bin]! -= surplus;
      accumulator.merge({ kind: 'counts', values });
    }
  }

  close(): Promise<void> {
    return this.executable.close();
  }

  /** Finds the surplus of a partial batch, when it has run. */
  private async settle(): Promise<void> {
    const { before } = this;
    if (!before) return;
    this.before = undefined;
    const now = await this.executable.histograms();
    for (const [i, { point }] of this.answers.entries()) {
      if (this.items[point] === 1) continue;
      const first = before.samples * floatBins;
      const counted = sumOfItems(now[point]!.subarray(first));
      for (const [bin, known] of sumOfItems(before.counts[point]!.subarray(first)).entries())
        this.surplus[i]![bin]! += counted[bin]! - known;
    }
  }
}

/** The histograms of all items as one. */
function sumOfItems(counts: Float64Array): Float64Array {
  const sum = new Float64Array(floatBins);
  for (let i = 0; i < counts.length; i++) sum[i % floatBins]! += counts[i]!;
  return sum;
}
