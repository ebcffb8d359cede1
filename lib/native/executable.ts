import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import type { Program } from '../program/program.ts';
import { serialize } from '../program/serialize.ts';
import { allocate, type TensorData } from '../tensor/element-type.ts';
import { elementCount } from '../tensor/shape.ts';
import type { CallProfile, IsaName, NativeInfo, NativeProgram, NativeSession } from './addon.ts';
import { addon } from './binding.ts';
import { fromNative } from './native-error.ts';

export interface CompileProgramOptions {
  /** Threads of the pool, the calling one included; default: physical cores this process may use. */
  readonly threads?: number;
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
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  try {
    const compiled = binary.compile(bytes, constants, {
      ...threads,
      ...(options.maxIsa === undefined ? {} : { isa: options.maxIsa }),
      ...(options.forceRow === undefined ? {} : { forceRow: options.forceRow }),
    });
    return new NativeExecutable(compiled, compiled.createSession(threads));
  } catch (error) {
    throw fromNative(error);
  }
}

/** A compiled program with one session. Runs are served one after another, in the order of the calls. */
export class NativeExecutable {
  readonly info: NativeInfo;
  private readonly program: NativeProgram;
  private readonly session: NativeSession;
  private last: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(program: NativeProgram, session: NativeSession) {
    this.program = program;
    this.session = session;
    this.info = program.info();
  }

  /**
   * One run off the main thread.
   *
   * @param inputs  in the order of `info.inputs`, copied when the run begins; do not change them before
   * @returns  new arrays in the order of `info.outputs`
   * @throws {LowpError} `ERR_RUN_INPUT`, `ERR_RUN_CLOSED`, `ERR_ABORTED` when the signal is aborted before the end
   */
  run(inputs: readonly TensorData[], options: { readonly signal?: AbortSignal } = {}): Promise<TensorData[]> {
    const result = this.last.then(() => this.runNow(inputs, options.signal));
    this.last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /**
   * One run on this thread, for short programs and worker threads.
   *
   * @throws {LowpError} `ERR_RUN_INPUT` also while an asynchronous run is going on; `ERR_RUN_CLOSED`
   */
  runSync(inputs: readonly TensorData[]): TensorData[] {
    const outputs = this.allocateOutputs();
    try {
      this.session.runSync(inputs, outputs);
    } catch (error) {
      throw fromNative(error, 'ERR_RUN_INPUT');
    }
    return outputs;
  }

  /** Switches the measurement of calls on (from zero) or off. */
  profile(on: boolean): void {
    this.assertOpen();
    this.session.profile(on);
  }

  /** Times by call, in program order. */
  profileData(): readonly CallProfile[] {
    this.assertOpen();
    return this.session.profileData();
  }

  /** Frees threads and memory; a run that is going on is cancelled. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.session.cancel();
    await this.last;
    this.session.dispose();
    this.program.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async runNow(inputs: readonly TensorData[], signal: AbortSignal | undefined): Promise<TensorData[]> {
    this.assertOpen();
    throwIfAborted(signal);
    const outputs = this.allocateOutputs();
    const cancel = () => this.session.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      await this.session.run(inputs, outputs);
    } catch (error) {
      if (this.closed && !signal?.aborted) this.assertOpen();
      throw fromNative(error, 'ERR_RUN_INPUT');
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    throwIfAborted(signal);
    return outputs;
  }

  private allocateOutputs(): TensorData[] {
    return this.info.outputs.map(({ type, shape }) => allocate(type, elementCount(shape)));
  }

  private assertOpen(): void {
    if (this.closed) throw new LowpError('ERR_RUN_CLOSED', 'the session was closed; compile the model again to run it');
  }
}
