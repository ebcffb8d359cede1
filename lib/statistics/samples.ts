// Checks calibration samples against the inputs of a model, one by one, while they stream by.

import type { Feeds } from '../engines/engine.ts';
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import { inputName, type Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { convert, integerRange, toFloat32, toFloat64 } from '../tensor/convert.ts';
import { bitsOf, type ElementType, isFloat, isInteger } from '../tensor/element-type.ts';
import { elementCount, formatShape, hasRank } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { closestNames } from '../util/closest.ts';
import { type Batch, Batcher, staticBatchOf } from './batches.ts';

/** A tensor for each input by name, or one tensor for the only input. */
export type Sample = Feeds | Tensor;

/** Samples in memory or read one after another. */
export type Samples = Iterable<Sample> | AsyncIterable<Sample>;

export interface SampleOptions {
  /** At most so many samples count, the first ones. */
  readonly subsetSize: number;
  readonly signal?: AbortSignal;
}

/**
 * The first samples in batches of the size that the model takes, checked and with the element types of its inputs.
 *
 * Samples may come alone or several at a time, stacked along axis 0. They are split and stacked where the batch of the
 * model is another one; where it is dynamic, they run as they come.
 *
 * @throws {LowpError} naming the sample by its position: `ERR_DATA_INPUT` for a missing or unknown input, `ERR_DATA_SHAPE`,
 *   `ERR_DATA_TYPE`; `ERR_ABORTED`; `ERR_DATA_NOT_FINITE` by `Batch.requireFinite`
 */
export async function* checkedSamples(model: Model, samples: Samples, options: SampleOptions): AsyncGenerator<Batch> {
  requireIterable(samples);
  const batcher = new Batcher(model);
  let index = 0;
  let left = options.subsetSize;
  for await (const sample of samples) {
    throwIfAborted(options.signal);
    const at = index++;
    const feeds = checkSample(model, sample, at);
    for (const batch of batcher.add({ feeds, requireFinite: () => requireFinite(feeds, at) }, left)) yield batch;
    left -= batcher.countOf(feeds);
    if (left <= 0) break;
  }
  for (const batch of batcher.rest()) yield batch;
}

function requireIterable(samples: unknown): void {
  const isIterable =
    typeof samples === 'object' && samples !== null && (Symbol.asyncIterator in samples || Symbol.iterator in samples);
  if (isIterable) return;
  throw new LowpError(
    'ERR_DATA_FORMAT',
    `samples must be iterable, got ${samples === null ? 'null' : typeof samples}`,
    {
      help: 'Give an array, a generator or another iterable of tensors.',
    },
  );
}

/** @throws {LowpError} `ERR_DATA_NOT_FINITE` naming the input */
export function requireFinite(feeds: Feeds, index: number): void {
  for (const [name, value] of Object.entries(feeds)) {
    if (isFloat(value.type) && isNotFinite(value))
      throw new LowpError('ERR_DATA_NOT_FINITE', `sample ${index}: '${name}' contains NaN or infinity`);
  }
}

/**
 * One sample, or several of them stacked along axis 0, as feeds keyed by the names of the inputs. Whether its elements are
 * finite is not looked at: {@link requireFinite}.
 */
export function checkSample(model: Model, sample: Sample, index: number): Feeds {
  const parameters = model.parameters();
  const known = parameters.map(inputName);
  const isBatched = staticBatchOf(model) !== undefined;
  if (typeof sample !== 'object' || sample === null) {
    throw new LowpError(
      'ERR_DATA_FORMAT',
      `sample ${index} is ${sample === null ? 'null' : typeof sample}, not a tensor`,
    );
  }
  if (isTensor(sample)) {
    const [only] = parameters;
    if (parameters.length === 1 && only) {
      return { [inputName(only)]: checkTensor(only, sample, { index, isBatched }) };
    }
    throw new LowpError(
      'ERR_DATA_INPUT',
      `sample ${index} is one tensor, the model has ${parameters.length} inputs: ${known.join(', ')}`,
      { help: 'Give an object with one tensor for each input.' },
    );
  }
  const feeds: Record<string, Tensor> = {};
  const used = new Set<string>();
  for (const parameter of parameters) {
    const key = namesOf(parameter).find((name) => Object.hasOwn(sample, name));
    const value = key === undefined ? undefined : sample[key];
    if (key === undefined || value === undefined) throw missingInput(parameter, sample, index);
    used.add(key);
    feeds[inputName(parameter)] = checkTensor(parameter, value, { index, isBatched });
  }
  const extra = Object.keys(sample).find((name) => !used.has(name));
  if (extra !== undefined) {
    throw new LowpError('ERR_DATA_INPUT', `sample ${index} names '${extra}', which is not an input of the model`, {
      help: `The model has the inputs ${known.join(', ')}.`,
    });
  }
  if (isBatched) requireOneCount(feeds, index);
  return feeds;
}

function isTensor(sample: Sample): sample is Tensor {
  return 'shape' in sample && Array.isArray(sample.shape) && 'data' in sample && ArrayBuffer.isView(sample.data);
}

function namesOf(parameter: Node): string[] {
  return [...new Set([inputName(parameter), ...parameter.output.names, parameter.name])];
}

function missingInput(parameter: Node, sample: Feeds, index: number): LowpError {
  const given = Object.keys(sample);
  const name = inputName(parameter);
  const near = closestNames(name, given, 1)[0];
  return new LowpError(
    'ERR_DATA_INPUT',
    `sample ${index} has no tensor for input '${name}'; it has ${given.map((g) => `'${g}'`).join(', ') || 'none'}`,
    { help: near === undefined ? `Add a tensor named '${name}'.` : `Rename '${near}' to '${name}'.` },
  );
}

/** @throws {LowpError} `ERR_DATA_SHAPE` when the inputs do not hold equally many samples */
function requireOneCount(feeds: Feeds, index: number): void {
  const counts = Object.entries(feeds).map(([name, { shape }]) => ({ name, count: shape[0]! }));
  const other = counts.find(({ count }) => count !== counts[0]!.count);
  if (!other) return;
  const [first] = counts;
  throw new LowpError(
    'ERR_DATA_SHAPE',
    `sample ${index}: '${other.name}' holds ${other.count} samples, '${first!.name}' holds ${first!.count}`,
  );
}

function checkTensor(
  parameter: Node,
  value: Tensor,
  { index, isBatched }: { readonly index: number; readonly isBatched: boolean },
): Tensor {
  const name = inputName(parameter);
  const { shape, type } = parameter.output.fact;
  const isFree = (axis: number, size: number): boolean => shape[axis] === -1 || (axis === 0 && isBatched && size > 0);
  const isOfRank = value.shape !== undefined && (!hasRank(shape) || value.shape.length === shape.length);
  const fits = isOfRank && (!hasRank(shape) || value.shape.every((d, i) => isFree(i, d) || shape[i] === d));
  if (!fits) {
    const isWithoutBatch = value.shape?.length === shape.length - 1;
    throw new LowpError(
      'ERR_DATA_SHAPE',
      `sample ${index}: '${name}' has shape ${formatShape(value.shape ?? [])}, the input takes ${formatShape(shape)}`,
      {
        help: isWithoutBatch
          ? 'Add the batch axis: a sample has the full shape of the input.'
          : 'Reshape or resize the data.',
      },
    );
  }
  if (value.data.length !== Math.ceil((elementCount(value.shape) * Math.min(8, bitsOf(value.type))) / 8)) {
    throw new LowpError(
      'ERR_DATA_SHAPE',
      `sample ${index}: '${name}' of shape ${formatShape(value.shape)} holds ${value.data.length} elements`,
    );
  }
  const converted = withType(value, type);
  if (!converted) {
    throw new LowpError('ERR_DATA_TYPE', `sample ${index}: '${name}' has type ${value.type}, the input takes ${type}`, {
      help: `Convert the data to ${type}.`,
    });
  }
  return converted;
}

/** The tensor in the input's type: floats become floats of another size, integers other integers that can hold them. */
function withType(value: Tensor, type: ElementType): Tensor | undefined {
  if (value.type === type) return value;
  if (isFloat(value.type) && isFloat(type)) return convert(value, type);
  if (!isInteger(value.type) || !isInteger(type) || bitsOf(type) < 8) return undefined;
  const [low, high] = integerRange(type) ?? [type === 'u64' ? 0 : Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return toFloat64(value).every((v) => v >= low && v <= high) ? convert(value, type) : undefined;
}

/** True when some element is NaN or infinite. */
function isNotFinite(value: Tensor): boolean {
  const data = toFloat32(value);
  const whole = data.length - (data.length % 4);
  // Finite floats cannot overflow a sum of doubles; what is not finite stays in it.
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += data[i]!;
    b += data[i + 1]!;
    c += data[i + 2]!;
    d += data[i + 3]!;
  }
  for (let i = whole; i < data.length; i++) a += data[i]!;
  return !Number.isFinite(a + b + c + d);
}
