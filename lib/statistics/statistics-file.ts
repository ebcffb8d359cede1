// Statistics in a file: JSON, with arrays of numbers as base64 of their little-endian bytes.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { writeFilesAtomically } from '../formats/index.ts';
import { floatBins } from '../util/float-bins.ts';
import { readRegularFile } from '../util/read-file.ts';
import { type AccumulatorState, accumulatorFor } from './aggregators.ts';
import { type CollectedStatistic, CollectedStatistics, type StatisticKey } from './collected.ts';
import { aggregators } from './request.ts';
import { StatisticsStore } from './store.ts';

const format = 'lowp-statistics';
/** Raised when older files cannot be read as they are. */
const version = 1;

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
const count = z.int().min(1);
const fingerprint = z.string().regex(/^[0-9a-f]{32}$/);

const stateSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('extreme'), values: base64 }),
  z.strictObject({
    kind: z.literal('sums'),
    channels: count,
    count,
    parts: z.array(z.tuple([z.int().min(0).max(16), base64])),
  }),
  z.strictObject({ kind: z.literal('counts'), length: z.int().min(1).max(floatBins), places: base64, values: base64 }),
  z.strictObject({
    kind: z.literal('multisets'),
    multisets: z.array(z.strictObject({ dropped: z.int().min(0).max(23), keys: base64, counts: base64 })),
  }),
]);

const statisticSchema = z.strictObject({
  node: z.string(),
  output: z.int().min(0),
  granularity: z.enum(['perTensor', 'perChannel']),
  channelAxis: z.int().optional(),
  kind: z.enum(['min', 'max', 'absMax', 'mean', 'quantile', 'absQuantile', 'histogram']),
  share: z.number().min(0).max(1).optional(),
  aggregator: z.enum([...aggregators, 'sum']),
  state: stateSchema,
});

const fileSchema = z.strictObject({
  format: z.literal(format),
  version: z.literal(version),
  samples: count,
  data: fingerprint,
  models: z.array(
    z.strictObject({
      model: fingerprint,
      inputShapes: z.record(z.string(), z.array(z.int().min(0))),
      statistics: z.array(statisticSchema),
    }),
  ),
});

type StoredState = z.input<typeof stateSchema>;
type StoredStatistic = z.output<typeof statisticSchema>;

/**
 * Reads a statistics file.
 *
 * @throws {LowpError} `ERR_IO_NOT_FOUND`, `ERR_IO_READ`, `ERR_STATISTICS_INVALID`
 */
export async function readStatistics(path: string): Promise<StatisticsStore> {
  const content = await readRegularFile(path);
  if (!content.bytes) {
    const { isMissing, reason, cause } = content;
    throw new LowpError(isMissing ? 'ERR_IO_NOT_FOUND' : 'ERR_IO_READ', `'${path}' ${reason}`, { path, cause });
  }
  const parsed = fileSchema.safeParse(parseJson(new TextDecoder().decode(content.bytes), path));
  if (!parsed.success) {
    const { path: at, message } = parsed.error.issues[0]!;
    throw invalid(path, `${at.join('.') || 'the file'}: ${message}`);
  }
  const { samples, data, models } = parsed.data;
  const parts = models.map(({ model, inputShapes, statistics }) => {
    const all = statistics.map((stored) => loaded(stored, samples, path));
    return new CollectedStatistics({ model, data, samples, inputShapes }, all);
  });
  return new StatisticsStore(parts, `'${path}'`);
}

/** As {@link readStatistics}; an empty store of that name when there is no such file. */
export async function openStatistics(path: string): Promise<StatisticsStore> {
  try {
    return await readStatistics(path);
  } catch (error) {
    if (error instanceof LowpError && error.code === 'ERR_IO_NOT_FOUND') return new StatisticsStore([], `'${path}'`);
    throw error;
  }
}

/**
 * Writes a statistics file, as a whole or not at all. Equal statistics give equal bytes.
 *
 * @throws {LowpError} `ERR_IO_WRITE`, `ERR_DATA_EMPTY` when the store holds nothing
 */
export async function writeStatistics(path: string, store: StatisticsStore): Promise<void> {
  const parts = store.parts();
  const [first] = parts;
  if (!first) throw new LowpError('ERR_DATA_EMPTY', 'there are no statistics to write', { path });
  const content = {
    format,
    version,
    samples: first.samples,
    data: first.source.data,
    models: parts.map((part) => ({
      model: part.source.model,
      inputShapes: part.inputShapes,
      statistics: part.all().map(stored),
    })),
  };
  await writeFilesAtomically([{ path, content: `${JSON.stringify(content)}\n` }]);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(path, `it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function invalid(path: string, reason: string): LowpError {
  return new LowpError(
    'ERR_STATISTICS_INVALID',
    `'${path}' is not a statistics file of version ${version}: ${reason}`,
    {
      path,
      help: 'Delete the file to collect the statistics again.',
    },
  );
}

function stored({ key, accumulator }: CollectedStatistic): StoredStatistic {
  const { statistic, channelAxis, ...rest } = key;
  return {
    ...rest,
    ...(channelAxis === undefined ? {} : { channelAxis }),
    ...statistic,
    state: storedState(accumulator.state()),
  };
}

function storedState(state: AccumulatorState): StoredState {
  if (state.kind === 'extreme') return { kind: 'extreme', values: encode(state.values) };
  if (state.kind === 'sums') {
    const parts = state.parts.map(([j, digits]): [number, string] => [j, encode(digits)]);
    return { kind: 'sums', channels: state.channels, count: state.count, parts };
  }
  if (state.kind === 'counts') {
    const places = Uint32Array.from(state.values.keys()).filter((i) => state.values[i] !== 0);
    const values = Float64Array.from(places, (i) => state.values[i]!);
    return { kind: 'counts', length: state.values.length, places: encode(places), values: encode(values) };
  }
  const multisets = state.multisets.map(({ dropped, keys, counts }) => {
    return { dropped, keys: encode(keys), counts: encode(counts) };
  });
  return { kind: 'multisets', multisets };
}

function loaded(statistic: StoredStatistic, samples: number, path: string): CollectedStatistic {
  const { node, output, granularity, channelAxis, kind, share, aggregator } = statistic;
  const fail = (reason: string): never => {
    throw invalid(path, `statistic ${kind} ${aggregator} of '${node}': ${reason}`);
  };
  const isQuantile = kind === 'quantile' || kind === 'absQuantile';
  if (isQuantile && share === undefined) fail('a quantile has no share');
  const place = granularity === 'perChannel' ? { granularity, channelAxis: channelAxis ?? 1 } : { granularity };
  const reduced = isQuantile ? { kind, share: share! } : { kind };
  const key: StatisticKey = { node, output, ...place, statistic: reduced, aggregator };
  const accumulator = accumulatorFor(aggregator);
  accumulator.merge(loadedState(statistic.state, samples, fail));
  return { key, accumulator };
}

function loadedState(state: StoredState, samples: number, fail: (reason: string) => never): AccumulatorState {
  if (state.kind === 'extreme') return { kind: 'extreme', values: decode(state.values, Float32Array, fail) };
  if (state.kind === 'sums') {
    const { channels, count: added, parts } = state;
    const loadedParts = parts.map(([j, text]): [number, Float64Array] => {
      const digits = decode(text, Float64Array, fail);
      if (digits.length !== channels || !digits.every(Number.isSafeInteger)) fail('a sum is damaged');
      return [j, digits];
    });
    return { kind: 'sums', channels, count: added, parts: loadedParts };
  }
  if (state.kind === 'counts') return loadedCounts(state, fail);
  const multisets = state.multisets.map(({ dropped, keys, counts }) => {
    const multiset = { dropped, keys: decode(keys, Uint32Array, fail), counts: decode(counts, Uint32Array, fail) };
    const isAscending = multiset.keys.every((k, i) => i === 0 || k > multiset.keys[i - 1]!);
    const total = multiset.counts.reduce((a, b) => a + b, 0);
    if (!isAscending || multiset.keys.length !== multiset.counts.length || total < 1 || total > samples)
      fail('a multiset is damaged');
    return multiset;
  });
  return { kind: 'multisets', multisets };
}

function loadedCounts(state: Extract<StoredState, { kind: 'counts' }>, fail: (reason: string) => never) {
  const places = decode(state.places, Uint32Array, fail);
  const counts = decode(state.values, Float64Array, fail);
  const values = new Float64Array(state.length);
  const isWhole = counts.every((count) => Number.isSafeInteger(count) && count > 0);
  if (!isWhole || counts.length !== places.length || !places.every((place) => place < state.length))
    fail('a histogram is damaged');
  for (const [i, place] of places.entries()) values[place] = counts[i]!;
  return { kind: 'counts' as const, values };
}

function encode(values: Float32Array | Float64Array | Uint32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

interface ArrayKind<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): T;
}

function decode<T>(text: string, kind: ArrayKind<T>, fail: (reason: string) => never): T {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  if (bytes.length % kind.BYTES_PER_ELEMENT !== 0) fail(`${bytes.length} bytes are not whole numbers`);
  return new kind(bytes.buffer);
}
