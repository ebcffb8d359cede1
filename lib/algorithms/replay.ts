// Samples that can be read from the beginning more than once.

/** What `for await` accepts. */
type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

/** An iterator that is its own iterable, such as a generator: it can be read only once. */
export function isOneShot(source: object): boolean {
  const found = source as Partial<AsyncIterableIterator<unknown>> & Partial<IterableIterator<unknown>>;
  if (typeof found.next !== 'function') return false;
  const anew: unknown = found[Symbol.asyncIterator]?.() ?? found[Symbol.iterator]?.();
  return anew === source;
}

/**
 * Reads a source several times. One that starts anew with each iteration is asked again; what can be iterated only once is
 * kept in memory from the first reading on, unless that is the last one.
 */
export class Replay<T> {
  private readonly source: AnyIterable<T>;
  private readonly iterator: Iterator<T> | AsyncIterator<T> | undefined;
  private readonly kept: T[] = [];
  private isDone = false;

  constructor(source: AnyIterable<T>) {
    this.source = source;
    if (isOneShot(source)) this.iterator = source as unknown as AsyncIterator<T>;
  }

  /** All items from the first one on. After a reading with `isLast` there is no other. */
  async *read(isLast = false): AsyncGenerator<T> {
    const { iterator, kept } = this;
    if (!iterator) {
      yield* this.source;
      return;
    }
    for (let i = 0; ; i++) {
      if (i < kept.length) {
        yield kept[i]!;
        continue;
      }
      if (this.isDone) return;
      const next = await iterator.next();
      if (next.done) {
        this.isDone = true;
        return;
      }
      if (!isLast) kept.push(next.value);
      else i--;
      yield next.value;
    }
  }
}
