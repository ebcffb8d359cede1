// What users run: a model compiled for a device, recompiled by itself when inputs come in another shape.
import { LowpError } from '../errors/lowp-error.ts';
import { inputName, type Model } from '../graph/model.ts';
import { isStatic, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { engineOf } from './devices.ts';
import type { CompileOptions, Engine, Executable, Feeds } from './engine.ts';
import { checkFeeds, feedOf } from './feeds.ts';

/** Where and how a model runs. */
export interface SessionOptions {
  /** `CPU` (native kernels, the default) or `REFERENCE` (doubles, slow). */
  readonly device?: string;
  /** Default: the physical cores that this process may use. */
  readonly threads?: number;
  readonly maxIsa?: NonNullable<CompileOptions['maxIsa']>;
  /** Shapes of inputs, by name; needed before the first inference only for dynamic ones that should be compiled early. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  readonly signal?: AbortSignal;
}

/** Compiled programs kept for different input shapes. */
const keptShapes = 8;

/**
 * Compiles a model. Models with static shapes are compiled now, others at the first inference of each shape.
 *
 * @throws {LowpError} when the model cannot run on the device
 */
export async function compile(model: Model, options: SessionOptions = {}): Promise<Session> {
  const session = new Session(model, engineOf(options.device ?? 'CPU'), options);
  const shapes = { ...options.shapes };
  for (const p of model.parameters()) shapes[inputName(p)] ??= p.output.fact.shape;
  if (Object.values(shapes).every(isStatic)) await session.prepare(shapes);
  return session;
}

/** A compiled model. One inference runs at a time; further calls wait for their turn. */
export class Session implements AsyncDisposable {
  readonly model: Model;
  private readonly engine: Engine;
  private readonly options: SessionOptions;
  private readonly executables = new Map<string, Promise<Executable>>();
  private queue: Promise<unknown> = Promise.resolve();
  private isClosed = false;

  constructor(model: Model, engine: Engine, options: SessionOptions) {
    this.model = model;
    this.engine = engine;
    this.options = options;
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
    const key = JSON.stringify(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
    let executable = this.executables.get(key);
    if (!executable) {
      const { threads, maxIsa, signal } = this.options;
      executable = this.engine.compile(this.model, {
        shapes,
        ...(threads === undefined ? {} : { threads }),
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
    const run = this.queue.then(async () => {
      const executable = await this.executableFor(shapes);
      await this.dropOldest();
      const result = await executable.run(feeds, options);
      return result.outputs;
    });
    this.queue = run.catch(() => undefined);
    return run;
  }

  private assertOpen(): void {
    if (this.isClosed) throw new LowpError('ERR_RUN_CLOSED', 'the session is closed');
  }

  /** Shapes by input name of feeds that name every input, with its type and rank. */
  private shapesOf(feeds: Feeds): Record<string, Shape> {
    const shapes: Record<string, Shape> = {};
    for (const parameter of this.model.parameters()) {
      const declared = parameter.output.fact.shape;
      const fed = feedOf(parameter, feeds)?.shape;
      shapes[inputName(parameter)] = fed?.length === declared.length ? fed : declared;
    }
    checkFeeds(this.model, feeds, shapes);
    return shapes;
  }

  private async dropOldest(): Promise<void> {
    while (this.executables.size > keptShapes) {
      const [key, oldest] = this.executables.entries().next().value!;
      this.executables.delete(key);
      await (await oldest).close();
    }
  }

  /** Frees threads and memory when the inferences that wait are done. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.queue;
    for (const executable of this.executables.values()) await (await executable.catch(() => undefined))?.close();
    this.executables.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
