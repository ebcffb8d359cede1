// What is compiled for the input shapes used last.
import { type Shape, sameShape } from '../tensor/shape.ts';

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
  /** What was asked for last. */
  private last: { readonly shapes: Readonly<Record<string, Shape>>; readonly found: Promise<T> } | undefined;

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
    if (this.last && sameShapes(this.last.shapes, shapes)) return this.last.found;
    const key = shapesKey(shapes);
    const known = this.kept.get(key);
    this.kept.delete(key);
    const found = known ?? this.closeOldest().then(() => this.compile(shapes));
    this.kept.set(key, found);
    this.last = { shapes, found };
    // A failure is thrown to who waits for it; the next call tries again.
    if (!known) found.catch(() => this.forget(key, found));
    return found;
  }

  private forget(key: string, found: Promise<T>): void {
    if (this.kept.get(key) === found) this.kept.delete(key);
    if (this.last?.found === found) this.last = undefined;
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
    this.last = undefined;
    await closeAll(all);
  }
}

async function closeAll(all: readonly Promise<Compiled>[]): Promise<void> {
  for (const compiled of all) await (await compiled.catch(() => undefined))?.executable.close();
}

/** True for equal shapes of the same inputs. */
export function sameShapes(a: Readonly<Record<string, Shape>>, b: Readonly<Record<string, Shape>>): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => b[name] !== undefined && sameShape(a[name]!, b[name]));
}

/** The same text for equal shapes, in whatever order the inputs are named. */
export function shapesKey(shapes: Readonly<Record<string, Shape>>): string {
  return JSON.stringify(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
