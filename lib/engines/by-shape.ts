// What is compiled for the input shapes used last.
import type { Shape } from '../tensor/shape.ts';

/** Sets of input shapes for which programs are kept unless something else is asked for. */
export const defaultKeptShapes = 8;

/** What is kept for each set of input shapes. */
interface Compiled {
  readonly executable: { close(): Promise<void> };
}

/** Compiles for each set of input shapes when it first comes, and closes what was not asked for longest. */
export class ByShape<T extends Compiled> {
  private readonly most: number;
  private readonly compile: (shapes: Readonly<Record<string, Shape>>) => Promise<T>;
  private readonly beforeLeaving: (compiled: T) => Promise<void>;
  private readonly kept = new Map<string, Promise<T>>();

  /**
   * @param most  sets of shapes that are kept at a time
   * @param beforeLeaving  done with what is closed to make room
   */
  constructor(
    most: number,
    compile: (shapes: Readonly<Record<string, Shape>>) => Promise<T>,
    beforeLeaving: (compiled: T) => Promise<void> = async () => {},
  ) {
    this.most = most;
    this.compile = compile;
    this.beforeLeaving = beforeLeaving;
  }

  /**
   * What is compiled for these shapes; it may be closed by the next call.
   *
   * @throws {LowpError} what the compilation throws
   */
  get(shapes: Readonly<Record<string, Shape>>): Promise<T> {
    const key = shapesKey(shapes);
    const known = this.kept.get(key);
    this.kept.delete(key);
    const found = known ?? this.closeOldest().then(() => this.compile(shapes));
    this.kept.set(key, found);
    // A failure is thrown to who waits for it; the next call tries again.
    if (!known) found.catch(() => this.kept.get(key) === found && this.kept.delete(key));
    return found;
  }

  /** Makes room for one more. */
  private async closeOldest(): Promise<void> {
    const old = [...this.kept].slice(0, Math.max(0, this.kept.size + 1 - this.most));
    for (const [key] of old) this.kept.delete(key);
    try {
      for (const [, compiled] of old) await this.beforeLeaving(await compiled);
    } finally {
      await closeAll(old.map(([, compiled]) => compiled));
    }
  }

  /** What is kept. */
  all(): Promise<T[]> {
    return Promise.all(this.kept.values());
  }

  async close(): Promise<void> {
    const all = [...this.kept.values()];
    this.kept.clear();
    await closeAll(all);
  }
}

async function closeAll(all: readonly Promise<Compiled>[]): Promise<void> {
  for (const compiled of all) await (await compiled.catch(() => undefined))?.executable.close();
}

/** The same text for equal shapes, in whatever order the inputs are named. */
export function shapesKey(shapes: Readonly<Record<string, Shape>>): string {
  return JSON.stringify(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
