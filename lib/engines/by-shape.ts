// What is compiled for the input shapes used last.
import type { Shape } from '../tensor/shape.ts';
import type { Executable } from './engine.ts';

/** What is kept for each set of input shapes. */
interface Compiled {
  readonly executable: Executable;
}

/** Compiles for each set of input shapes when it first comes, and closes what was not asked for longest. */
export class ByShape<T extends Compiled> {
  private readonly most: number;
  private readonly compile: (shapes: Readonly<Record<string, Shape>>) => Promise<T>;
  private readonly kept = new Map<string, T>();

  /** @param most  sets of shapes that are kept at a time */
  constructor(most: number, compile: (shapes: Readonly<Record<string, Shape>>) => Promise<T>) {
    this.most = most;
    this.compile = compile;
  }

  /**
   * What is compiled for these shapes; it may be closed by the next call.
   *
   * @throws {LowpError} what the compilation throws
   */
  async get(shapes: Readonly<Record<string, Shape>>): Promise<T> {
    const key = shapesKey(shapes);
    let found = this.kept.get(key);
    if (found) this.kept.delete(key);
    else {
      for (const [oldest, { executable }] of this.kept) {
        if (this.kept.size < this.most) break;
        this.kept.delete(oldest);
        await executable.close();
      }
      found = await this.compile(shapes);
    }
    this.kept.set(key, found);
    return found;
  }

  async close(): Promise<void> {
    for (const { executable } of this.kept.values()) await executable.close();
    this.kept.clear();
  }
}

/** The same text for equal shapes, in whatever order the inputs are named. */
export function shapesKey(shapes: Readonly<Record<string, Shape>>): string {
  return JSON.stringify(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
