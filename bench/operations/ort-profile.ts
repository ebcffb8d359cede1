// Times of ONNX Runtime's kernels, from the profile that it writes.
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { loadOnnxRuntime } from '../networks/onnx-runtime.ts';

const typeNames: Readonly<Record<string, string>> = {
  f32: 'float32',
  i64: 'int64',
  i32: 'int32',
  u8: 'uint8',
  i8: 'int8',
  boolean: 'bool',
  f64: 'float64',
};

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly ts: number;
}

/** A session of one operation, one thread. */
export class OrtOperation {
  private readonly session: { run(feeds: object): Promise<unknown>; endProfiling(): void };
  private readonly feeds: Readonly<Record<string, unknown>>;
  private readonly prefix: string;

  private constructor(session: OrtOperation['session'], feeds: OrtOperation['feeds'], prefix: string) {
    this.session = session;
    this.feeds = feeds;
    this.prefix = prefix;
  }

  static async create(file: string, feeds: Readonly<Record<string, Tensor>>): Promise<OrtOperation> {
    const ort = loadOnnxRuntime();
    const prefix = `${file}.profile`;
    const session = await ort.InferenceSession.create(file, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      enableProfiling: true,
      profileFilePrefix: prefix,
      logSeverityLevel: 4,
    });
    const make = ort.Tensor as unknown as new (type: string, data: unknown, dims: readonly number[]) => unknown;
    const converted = Object.entries(feeds).map(([name, { type, data, shape }]) => {
      const ortType = typeNames[type];
      if (ortType === undefined) throw new Error(`ONNX Runtime's package takes no inputs of type ${type}`);
      return [name, new make(ortType, data, shape)];
    });
    return new OrtOperation(session as never, Object.fromEntries(converted), prefix);
  }

  async run(times: number): Promise<void> {
    for (let i = 0; i < times; i++) await this.session.run(this.feeds);
  }

  /**
   * Ends the session.
   *
   * @returns milliseconds of the kernels of each run, without copies into and out of the library's own layout
   */
  async end(): Promise<number[]> {
    this.session.endProfiling();
    const folder = path.dirname(this.prefix);
    const name = (await readdir(folder)).find((f) => f.startsWith(path.basename(this.prefix)));
    if (name === undefined) throw new Error('ONNX Runtime wrote no profile');
    const file = path.join(folder, name);
    const events = JSON.parse(await readFile(file, 'utf8')) as ProfileEvent[];
    await rm(file);
    const runs = events.filter((e) => e.name === 'model_run');
    const kernels = events.filter(
      (e) => e.cat === 'Node' && e.name.endsWith('_kernel_time') && !/Reorder/i.test(e.name),
    );
    return runs.map((run) => {
      const within = kernels.filter((k) => k.ts >= run.ts && k.ts <= run.ts + run.dur);
      return within.reduce((sum, k) => sum + k.dur, 0) / 1000;
    });
  }
}
