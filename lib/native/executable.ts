// Compiled programs of the addon.
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import type { Program } from '../program/program.ts';
import { serialize } from '../program/serialize.ts';
import { allocate, type TensorData } from '../tensor/element-type.ts';
import { elementCount } from '../tensor/shape.ts';
import type { CallProfile, IsaName, NativeInfo, NativeProgram, NativeSession } from './addon.ts';
import { addon } from './binding.ts';
import { fromNative } from './native-error.ts';

export interface CompileProgramOptions {
  /** Threads of all streams together; default: physical cores this process may use. */
  readonly threads?: number;
  /**
   * Runs that go on at the same time, each with its own memory and an equal share of the threads, over one copy of the
   * packed weights. Default 1; at most one for each thread.
   */
  readonly streams?: number;
  readonly maxIsa?: IsaName | 'native';
  /** The kernel row of this name wherever it fits. */
  readonly forceRow?: string;
}

/**
 * Compiles a program for this machine.
 *
 * @throws {LowpError} `ERR_PROGRAM_INVALID`, `ERR_NATIVE_UNSUPPORTED`, `ERR_NATIVE_MEMORY`, `ERR_NATIVE_MISSING`
 */
export function compileProgram(program: Program, options: CompileProgramOptions = {}): NativeExecutable {
  const binary = addon();
  const { bytes, constants } = serialize(program);
  const streams = streamsFor(options);
  const threads = streams.threads === undefined ? {} : { threads: streams.threads };
  try {
    const compiled = binary.compile(bytes, constants, {
      ...threads,
      ...(options.maxIsa === undefined ? {} : { isa: options.maxIsa }),
      ...(options.forceRow === undefined ? {} : { forceRow: options.forceRow }),
    });
    const sessions = Array.from({ length: streams.count }, () => compiled.createSession(threads));
    return new NativeExecutable(compiled, sessions);
  } catch (error) {
    throw fromNative(error);
  }
}

/** How many streams run, and the threads of each: never more threads than were asked for, or than there are cores. */
function streamsFor(options: CompileProgramOptions): { readonly count: number; readonly threads: number | undefined } {
  const wanted = options.streams ?? 1;
  if (wanted === 1) return { count: 1, threads: options.threads };
  const threads = options.threads ?? addon().cpuInfo().cores;
  const count = Math.max(1, Math.min(wanted, threads));
  return { count, threads: Math.floor(threads / count) };
}

/** Stands for an output that accumulates. */
const nothing = new BigInt64Array(0);

/** How a program is run. */
interface RunProgramOptions {
  readonly signal?: AbortSignal;
  /** Outputs from this number on are f32 and share one buffer, or accumulate. */
  readonly grouped?: number;
  /** Arrays to write into, which an earlier run returned. */
  readonly into?: readonly TensorData[];
}

/** A compiled program with a session for each stream. Runs are begun in the order of the calls. */
export class NativeExecutable {
  readonly info: NativeInfo;
  /** Runs that can go on at the same time. */
  readonly streams: number;
  private readonly program: NativeProgram;
  private readonly sessions: readonly NativeSession[];
  private readonly free: NativeSession[];
  private readonly waiting: ((session: NativeSession) => void)[] = [];
  private readonly pending = new Set<Promise<unknown>>();
  private closed = false;

  constructor(program: NativeProgram, sessions: readonly NativeSession[]) {
    this.program = program;
    this.sessions = sessions;
    this.free = [...sessions];
    this.streams = sessions.length;
    this.info = program.info();
  }

  /**
   * One run off the main thread.
   *
   * @param inputs  in the order of `info.inputs`, read when the run begins; do not change them before
   * @returns  arrays in the order of `info.outputs`, new ones or `options.into`; those of outputs that accumulate are empty
   * @throws {LowpError} `ERR_RUN_INPUT`, `ERR_RUN_CLOSED`, `ERR_ABORTED` when the signal is aborted before the end
   */
  run(inputs: readonly TensorData[], options: RunProgramOptions = {}): Promise<readonly TensorData[]> {
    const result = this.runOnFree(inputs, options);
    const ended = result.then(
      () => undefined,
      () => undefined,
    );
    this.pending.add(ended);
    void ended.then(() => this.pending.delete(ended));
    return result;
  }

  private async runOnFree(inputs: readonly TensorData[], options: RunProgramOptions): Promise<readonly TensorData[]> {
    const session = this.free.pop() ?? (await new Promise<NativeSession>((resolve) => this.waiting.push(resolve)));
    try {
      return await this.runNow(session, inputs, options);
    } finally {
      const next = this.waiting.shift();
      if (next) next(session);
      else this.free.push(session);
    }
  }

  /**
   * One run on this thread, for short programs and worker threads.
   *
   * @throws {LowpError} `ERR_RUN_INPUT` also while an asynchronous run is going on; `ERR_RUN_CLOSED`
   */
  runSync(inputs: readonly TensorData[]): TensorData[] {
    const outputs = this.allocateOutputs();
    try {
      this.sessions[0]!.runSync(inputs, outputs);
    } catch (error) {
      throw fromNative(error, 'ERR_RUN_INPUT');
    }
    return outputs;
  }

  /**
   * What outputs that accumulate hold after all runs so far, whichever stream ran them, in the order of `info.outputs`;
   * undefined for the others. Waits for runs that are going on.
   *
   * @throws {LowpError} `ERR_RUN_CLOSED`
   */
  async totals(): Promise<readonly (Float64Array | undefined)[]> {
    while (this.pending.size > 0) await Promise.all(this.pending);
    this.assertOpen();
    const { outputs } = this.info;
    const sums = outputs.map((o) => (o.accumulates ? new Float64Array(elementCount(o.shape)) : undefined));
    for (const session of this.sessions) {
      const arrays = outputs.map((o) => (o.accumulates ? new BigInt64Array(elementCount(o.shape)) : nothing));
      session.totals(arrays);
      for (const [i, counts] of arrays.entries()) addCounts(counts, sums[i]);
    }
    return sums;
  }

  /** Switches the measurement of calls on (from zero) or off. */
  profile(on: boolean): void {
    this.assertOpen();
    for (const session of this.sessions) session.profile(on);
  }

  /** Times by call, in program order, of all streams together. */
  profileData(): readonly CallProfile[] {
    this.assertOpen();
    const all = this.sessions.map((session) => session.profileData());
    return all[0]!.map((call, i) => ({
      ...call,
      runs: all.reduce((sum, times) => sum + times[i]!.runs, 0),
      totalNs: all.reduce((sum, times) => sum + times[i]!.totalNs, 0),
      minNs: all.reduce((least, times) => {
        const { runs, minNs } = times[i]!;
        return runs > 0 && (least === 0 || minNs < least) ? minNs : least;
      }, 0),
    }));
  }

  /** Frees threads and memory; a run that is going on is cancelled. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const session of this.sessions) session.cancel();
    await Promise.all(this.pending);
    for (const session of this.sessions) session.dispose();
    this.program.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async runNow(
    session: NativeSession,
    inputs: readonly TensorData[],
    { signal, grouped, into }: RunProgramOptions,
  ): Promise<readonly TensorData[]> {
    this.assertOpen();
    throwIfAborted(signal);
    const outputs = into ?? this.allocateOutputs(grouped);
    const cancel = () => session.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      await session.run(inputs, outputs, into === undefined);
    } catch (error) {
      if (this.closed && !signal?.aborted) this.assertOpen();
      throw fromNative(error, 'ERR_RUN_INPUT');
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    throwIfAborted(signal);
    return outputs;
  }

  /** Outputs from number `grouped` on are f32 and views of one buffer: hundreds of buffers are work for the collector. */
  private allocateOutputs(grouped: number = this.info.outputs.length): TensorData[] {
    const sizes = this.info.outputs.map((o) => (o.accumulates ? undefined : elementCount(o.shape)));
    const all = new Float32Array(sizes.slice(grouped).reduce((sum: number, size = 0) => sum + size, 0));
    let begin = 0;
    return this.info.outputs.map(({ type }, i) => {
      const size = sizes[i];
      if (size === undefined) return nothing;
      if (i < grouped) return allocate(type, size);
      begin += size;
      return all.subarray(begin - size, begin);
    });
  }

  private assertOpen(): void {
    if (this.closed) throw new LowpError('ERR_RUN_CLOSED', 'the session was closed; compile the model again to run it');
  }
}

/** Adds whole numbers below 2^53. */
function addCounts(counts: BigInt64Array, sums: Float64Array = new Float64Array()): void {
  const words = new Uint32Array(counts.buffer, counts.byteOffset, counts.length * 2);
  for (let i = 0; i < sums.length; i++) sums[i]! += words[2 * i]! + words[2 * i + 1]! * 2 ** 32;
}
