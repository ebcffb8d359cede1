// What users run: a model compiled for a device, recompiled by itself when inputs come in another shape.
import { LowpError } from '../errors/lowp-error.ts';
import { inputName, type Model } from '../graph/model.ts';
import { hasRank, isStatic, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defaultKeptShapes, shapesKey } from './by-shape.ts';
import { engineOf } from './devices.ts';
import type { CompileOptions, Engine, Executable, Feeds } from './engine.ts';
import { checkFeeds, feedOf } from './feeds.ts';
import { type Variables, variableNames } from './variables.ts';

/** Where and how a model runs. */
export interface SessionOptions {
  /**
   * `CPU` (native kernels, the default), `CPU_FP32` (quantizers simulated in floats), `REFERENCE` (sums in doubles, slow) or
   * `REFERENCE_FP64` (values between operations are doubles too; returns f64).
   */
  readonly device?: string;
  /** Of all streams together. Default: the physical cores that this process may use. */
  readonly threads?: number;
  /**
   * Inferences that run at the same time, for throughput: each on an equal share of the threads and with its own memory
   * for values, over one copy of the packed weights. Default 1; at most one for each thread.
   */
  readonly streams?: number;
  readonly maxIsa?: NonNullable<CompileOptions['maxIsa']>;
  /** Shapes of inputs, by name; needed before the first inference only for dynamic ones that should be compiled early. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /**
   * Programs kept for different input shapes, at least 1; what was not used longest makes room. Default 8. Each has its own
   * memory for values; packed weights that are equal are in memory once.
   */
  readonly keptShapes?: number;
  readonly signal?: AbortSignal;
}

/**
 * Compiles a model. Models with static shapes are compiled now, others at the first inference of each shape.
 *
 * @throws {LowpError} when the model cannot run on the device
 */
export async function compile(model: Model, options: SessionOptions = {}): Promise<Session> {
  const session = new Session(model, engineOf(options.device ?? 'CPU'), options);
  const declared = model.parameters().map((p) => [inputName(p), p.output.fact.shape] as const);
  const shapes = { ...Object.fromEntries(declared), ...options.shapes };
  if (Object.values(shapes).every(isStatic)) await session.prepare(shapes);
  return session;
}

/** A compiled model. As many inferences run at a time as there are streams; further calls wait for their turn. */
export class Session implements AsyncDisposable {
  readonly model: Model;
  private readonly engine: Engine;
  private readonly options: SessionOptions;
  private readonly executables = new Map<string, Promise<Executable>>();
  private queue: Promise<unknown> = Promise.resolve();
  private readonly running = new Set<Promise<unknown>>();
  /** Inferences that run on an executable: it must not be closed before they end. */
  private readonly users = new Map<Promise<Executable>, number>();
  private readonly variables: Variables = new Map();
  private readonly variableNames: readonly string[];
  private isClosed = false;

  constructor(model: Model, engine: Engine, options: SessionOptions) {
    this.model = model;
    this.variableNames = variableNames(model);
    this.engine = engine;
    this.options = options;
    requireCount('streams', options.streams);
    requireCount('keptShapes', options.keptShapes);
  }

  /**
   * Compiles for these input shapes, unless that was done already.
   *
   * @throws {LowpError} `ERR_RUN_CLOSED`, and when the model cannot run with these shapes
   */
  async prepare(shapes: Readonly<Record<string, Shape>>): Promise<Executable> {
    this.assertOpen();
    return this.executableFor(shapes);
  }

  private executableFor(shapes: Readonly<Record<string, Shape>>): Promise<Executable> {
    const key = shapesKey(shapes);
    let executable = this.executables.get(key);
    if (!executable) {
      const { threads, streams, maxIsa, signal } = this.options;
      executable = this.engine.compile(this.model, {
        shapes,
        ...(threads === undefined ? {} : { threads }),
        ...(streams === undefined ? {} : { streams }),
        ...(maxIsa === undefined ? {} : { maxIsa }),
        ...(signal === undefined ? {} : { signal }),
      });
      // A failure is thrown to who waits for it; the next call tries again.
      executable.catch(() => this.executables.delete(key));
    } else this.executables.delete(key);
    this.executables.set(key, executable);
    return executable;
  }

  /**
   * One inference, off the main thread. Inputs must not be changed before it settles.
   *
   * @param feeds  tensors by input name
   * @returns      tensors by output name
   * @throws {LowpError} `ERR_RUN_INPUT`, `ERR_RUN_CLOSED`, `ERR_ABORTED`
   */
  async infer(feeds: Feeds, options: { readonly signal?: AbortSignal } = {}): Promise<Record<string, Tensor>> {
    this.assertOpen();
    const shapes = this.shapesOf(feeds);
    const runNow = (): Promise<Record<string, Tensor>> => this.runNow(shapes, feeds, options);
    // Several streams are handed out by the executable, in the order of the calls; state goes from one run to the next.
    const isFree = (this.options.streams ?? 1) > 1 && this.variableNames.length === 0;
    const run = isFree ? runNow() : this.queue.then(runNow);
    const ended = run.catch(() => undefined);
    this.queue = ended;
    this.running.add(ended);
    void ended.then(() => this.running.delete(ended));
    return run;
  }

  /** The variables that were written since the last reset (ReadValue, Assign), by name. */
  get state(): ReadonlyMap<string, Tensor> {
    return this.variables;
  }

  /**
   * Begins a new sequence behind the inferences that were asked for: variables have their initial values again.
   *
   * @param values  other values to begin with, by name of the variable
   * @throws {LowpError} `ERR_GRAPH_NAME` for a variable that the model does not have
   */
  async resetState(values: Readonly<Record<string, Tensor>> = {}): Promise<void> {
    const unknown = Object.keys(values).find((name) => !this.variableNames.includes(name));
    if (unknown !== undefined) {
      const names = this.variableNames.map((n) => `'${n}'`).join(', ') || 'none';
      throw new LowpError('ERR_GRAPH_NAME', `the model has no variable '${unknown}'; its variables are ${names}`);
    }
    const reset = this.queue.then(() => {
      this.variables.clear();
      for (const [name, value] of Object.entries(values)) this.variables.set(name, value);
    });
    this.queue = reset;
    await reset;
  }

  private async runNow(
    shapes: Readonly<Record<string, Shape>>,
    feeds: Feeds,
    options: { readonly signal?: AbortSignal },
  ): Promise<Record<string, Tensor>> {
    const compiling = this.executableFor(shapes);
    this.users.set(compiling, (this.users.get(compiling) ?? 0) + 1);
    try {
      const executable = await compiling;
      await this.dropOldest();
      return (await executable.run(feeds, { ...options, variables: this.variables })).outputs;
    } finally {
      const left = this.users.get(compiling)! - 1;
      if (left > 0) this.users.set(compiling, left);
      else this.users.delete(compiling);
    }
  }

  private assertOpen(): void {
    if (this.isClosed) throw new LowpError('ERR_RUN_CLOSED', 'the session is closed');
  }

  /** Shapes by input name of feeds that name every input, with its type and rank. */
  private shapesOf(feeds: Feeds): Record<string, Shape> {
    const named = this.model.parameters().map((parameter): [string, Shape] => {
      const declared = parameter.output.fact.shape;
      const fed = feedOf(parameter, feeds)?.shape;
      return [inputName(parameter), fed && (fed.length === declared.length || !hasRank(declared)) ? fed : declared];
    });
    const shapes = Object.fromEntries(named);
    checkFeeds(this.model, feeds, shapes);
    return shapes;
  }

  private async dropOldest(): Promise<void> {
    for (const [key, oldest] of this.executables) {
      if (this.executables.size <= (this.options.keptShapes ?? defaultKeptShapes)) return;
      if (this.users.has(oldest)) continue;
      this.executables.delete(key);
      await (await oldest).close();
    }
  }

  /** Frees threads and memory when the inferences that wait are done. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await Promise.all(this.running);
    for (const executable of this.executables.values()) await (await executable.catch(() => undefined))?.close();
    this.executables.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function requireCount(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1)) return;
  throw new LowpError('ERR_CONFIG_INVALID', `${name} is ${value}; expected a whole number of at least 1`);
}
