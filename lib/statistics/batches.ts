// Samples and batches: what runs at once may hold several samples, each of which counts by itself.
import { sameShapes, shapesKey } from '../engines/by-shape.ts';
import type { Feeds } from '../engines/engine.ts';
import { shapesOf } from '../engines/feeds.ts';
import { inputName, type Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { allocate } from '../tensor/element-type.ts';
import { elementCount, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What runs at once: axis 0 of every input counts samples. */
export interface Batch {
  readonly feeds: Feeds;
  /** Samples that count, the first ones; those behind them only fill the batch. */
  readonly samples: number;
  /**
   * To be called by who does not find out otherwise whether all elements are finite; absent where that is known.
   *
   * @throws {LowpError} `ERR_DATA_NOT_FINITE` naming the sample
   */
  readonly requireFinite?: () => void;
}

/**
 * Whether axis 0 of an input counts samples: the layout that an IR notes begins with N; without one, the axis is dynamic,
 * or the input has rank 4 or more, or is a single row. Any other static input of rank 2 or 3 may be one sequence, matrix
 * or image: it counts once.
 */
function isBatched({ output, notes }: Node): boolean {
  const { shape } = output.fact;
  const layout = notes.portRtInfo?.[0]?.find((attribute) => attribute.name === 'layout')?.layout;
  if (layout !== undefined) return /^\W*N/i.test(layout);
  const isRow = shape.length === 2 && shape[0] === 1;
  return shape.length >= 2 && (shape[0]! < 0 || shape.length > 3 || isRow);
}

/** The samples of a batch that a model takes: the static size of axis 0 that all inputs share; undefined without one. */
export function staticBatchOf(model: Model): number | undefined {
  const size = model.parameters()[0]?.output.fact.shape[0] ?? -1;
  const isShared = model.parameters().every((p) => isBatched(p) && p.output.fact.shape[0] === size);
  return isShared && size > 0 ? size : undefined;
}

/** The samples in feeds of these shapes, by input name: the size of axis 0 when it counts samples in every input, else 1. */
export function batchOf(model: Model, shapes: Readonly<Record<string, Shape>>): number {
  const sizes = model.parameters().map((p) => (isBatched(p) ? shapes[inputName(p)]?.[0] : 1) ?? 1);
  const [size = 1] = sizes;
  return sizes.every((s) => s === size) ? size : 1;
}

/**
 * Of the input shapes of two samples the larger ones, axis 0 apart; of equally large ones always the same, whichever
 * comes first.
 */
export function largerInputs(
  a: Readonly<Record<string, Shape>>,
  b: Readonly<Record<string, Shape>>,
): Readonly<Record<string, Shape>> {
  if (sameShapes(a, b)) return a;
  if (Object.keys(a).length === 0) return b;
  const [x, y] = [a, b].map((shapes) => Object.values(shapes).reduce((sum, s) => sum + elementCount(s.slice(1)), 0));
  if (x !== y) return x! > y! ? a : b;
  return shapesKey(a) <= shapesKey(b) ? a : b;
}

/** A sample, or several of them stacked, and what throws when an element is not finite. */
type Sampled = Required<Omit<Batch, 'samples'>>;

/** Makes batches of the size that a model takes of samples that come alone or several at a time. */
export class Batcher {
  private readonly model: Model;
  private readonly inputs: readonly string[];
  private readonly size: number | undefined;
  private waiting: Sampled[] = [];

  constructor(model: Model) {
    this.model = model;
    this.inputs = model.parameters().map(inputName);
    this.size = staticBatchOf(model);
  }

  /** The batches that are complete with these samples, of which `most` may count at most. */
  add({ feeds, requireFinite }: Sampled, most: number): Batch[] {
    const count = this.countOf(feeds);
    if (this.size === undefined || (this.waiting.length === 0 && count === this.size))
      return [{ feeds, samples: Math.min(count, most), requireFinite }];
    const ready: Batch[] = [];
    for (let i = 0; i < Math.min(count, most); i++) {
      this.waiting.push({ feeds: this.mapped((name) => sampleOf(feeds[name]!, i)), requireFinite });
      if (this.waiting.length === this.size) ready.push(...this.rest());
    }
    return ready;
  }

  /** The samples that wait, the last one repeated until the batch is full. */
  rest(): Batch[] {
    const { waiting, size = 1 } = this;
    const last = waiting.at(-1);
    if (!last) return [];
    this.waiting = [];
    const filled = [...waiting, ...new Array<Sampled>(size - waiting.length).fill(last)];
    const feeds = size === 1 ? last.feeds : this.mapped((name) => stack(filled.map((s) => s.feeds[name]!)));
    const requireFinite = () => {
      for (const sample of waiting) sample.requireFinite();
    };
    return [{ feeds, samples: waiting.length, requireFinite }];
  }

  /** Samples in the feeds. */
  countOf(feeds: Feeds): number {
    return batchOf(this.model, shapesOf(feeds));
  }

  private mapped(tensorOf: (name: string) => Tensor): Feeds {
    return Object.fromEntries(this.inputs.map((name) => [name, tensorOf(name)]));
  }
}

/** The element at `index` of axis 0, which stays with length 1; it shares the memory. */
export function sampleOf(tensor: Tensor, index: number): Tensor {
  const size = tensor.data.length / tensor.shape[0]!;
  const data = tensor.data.subarray(index * size, (index + 1) * size);
  return { type: tensor.type, shape: [1, ...tensor.shape.slice(1)], data };
}

function stack(tensors: readonly Tensor[]): Tensor {
  const { type, shape, data } = tensors[0]!;
  const all = allocate(type, data.length * tensors.length);
  for (const [i, tensor] of tensors.entries()) copyInto(all, tensor.data, i * data.length);
  return { type, shape: [tensors.length, ...shape.slice(1)], data: all };
}

function copyInto(target: Tensor['data'], source: Tensor['data'], offset: number): void {
  if (isBig(target) && isBig(source)) target.set(source, offset);
  else if (!isBig(target) && !isBig(source)) target.set(source, offset);
}

function isBig(data: Tensor['data']): data is BigInt64Array | BigUint64Array {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}
