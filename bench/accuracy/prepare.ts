// Data of ../shared in forms of its own becomes arrays that dataset files name.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Tensor, writeNpy } from '../../lib/index.ts';
import { random } from '../../lib/util/random.ts';

type Arrays = Readonly<Record<string, Tensor>>;
type Integers = ArrayLike<number>;

const i64 = (values: Integers, shape: readonly number[]): Tensor => ({
  type: 'i64',
  shape,
  data: BigInt64Array.from(Array.from(values, BigInt)),
});

/** By name: what a model needs from `../shared/data`. */
const makers: Readonly<Record<string, (data: string) => Arrays>> = {
  kws_dscnn,
  sst2_bert_small_op13,
  ncf_neumf,
  meshnet11,
};

/** Makes the arrays of a model in `target` unless they are there. */
export function prepareArrays(model: string, data: string, target: string): void {
  if (!Object.hasOwn(makers, model)) return;
  const mark = path.join(target, `${model}.done`);
  if (existsSync(mark)) return;
  mkdirSync(target, { recursive: true });
  for (const [name, tensor] of Object.entries(makers[model]!(data)))
    writeFileSync(path.join(target, `${name}.npy`), writeNpy(tensor));
  writeFileSync(mark, '');
}

/** Of every ten files the first three calibrate. */
function kws_dscnn(data: string): Arrays {
  const rows = readFileSync(path.join(data, 'kws/y_labels.csv'), 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  const pick = (isCalibration: boolean): { features: Tensor; labels: Tensor } => {
    const chosen = rows.filter((_, i) => i % 10 < 3 === isCalibration);
    const values = new Int8Array(chosen.length * 490);
    for (const [i, [file]] of chosen.entries()) {
      const bytes = readFileSync(path.join(data, 'kws', file!));
      values.set(new Int8Array(bytes.buffer, bytes.byteOffset, 490), i * 490);
    }
    const labels = Int32Array.from(chosen, (row) => Number(row[2]));
    return {
      features: { type: 'i8', shape: [chosen.length, 1, 49, 10], data: values },
      labels: { type: 'i32', shape: [chosen.length], data: labels },
    };
  };
  const test = pick(false);
  return { kws_calibration: pick(true).features, kws_test: test.features, kws_test_labels: test.labels };
}

function sst2_bert_small_op13(data: string): Arrays {
  const read = (file: string, count: number): { ids: Tensor; mask: Tensor; labels: Tensor } => {
    const rows = (JSON.parse(readFileSync(path.join(data, 'sst2', file), 'utf8')) as [number[], number][]).slice(
      0,
      count,
    );
    const ids = rows.flatMap(([words]) => Array.from({ length: 64 }, (_, i) => words[i] ?? 0));
    const mask = rows.flatMap(([words]) => Array.from({ length: 64 }, (_, i) => (i < words.length ? 1 : 0)));
    const labels = Int32Array.from(rows, ([, label]) => label);
    return {
      ids: i64(ids, [rows.length, 64]),
      mask: i64(mask, [rows.length, 64]),
      labels: { type: 'i32', shape: [rows.length], data: labels },
    };
  };
  const test = read('dev_ids.json', Number.POSITIVE_INFINITY);
  const calibration = read('train_ids_1000.json', 300);
  return {
    sst2_ids: test.ids,
    sst2_mask: test.mask,
    sst2_labels: test.labels,
    sst2_calibration_ids: calibration.ids,
    sst2_calibration_mask: calibration.mask,
  };
}

/** Leave-one-out: one positive and 99 negative items of each user; calibration draws pairs that are no candidates. */
function ncf_neumf(data: string): Arrays {
  const lines = (file: string): string[] =>
    readFileSync(path.join(data, 'ml-1m', file), 'utf8')
      .trim()
      .split(/\r?\n/);
  const users: number[] = [];
  const items: number[] = [];
  const candidates: Set<number>[] = [];
  for (const line of lines('ml-1m.test.negative')) {
    const [pair, ...negatives] = line.split('\t');
    const [user, item] = /^\((\d+),(\d+)\)$/.exec(pair!)!.slice(1).map(Number) as [number, number];
    const list = [item, ...negatives.map(Number)];
    candidates[user] = new Set(list);
    for (const candidate of list) {
      users.push(user);
      items.push(candidate);
    }
  }
  const count = candidates.length;
  const r = random(1);
  const drawn = Array.from({ length: 300 }, () => {
    const user = r.int(0, count);
    let item = r.int(0, 3706);
    while (candidates[user]!.has(item)) item = r.int(0, 3706);
    return [user, item] as const;
  });
  return {
    ncf_user: i64(users, [count, 100]),
    ncf_item: i64(items, [count, 100]),
    ncf_labels: { type: 'i32', shape: [count], data: new Int32Array(count) },
    ncf_calibration_user: i64(
      drawn.map((d) => d[0]),
      [300],
    ),
    ncf_calibration_item: i64(
      drawn.map((d) => d[1]),
      [300],
    ),
  };
}

/** The middle 112³ of the volume; mirrored and cut into eight blocks for calibration. */
function meshnet11(data: string): Arrays {
  const file = gunzipSync(readFileSync(path.join(data, 'brain-t1/t1_crop.nii.gz')));
  const side = 112;
  const [size, from] = [256, (256 - side) / 2];
  const voxels = file.subarray(352, 352 + size ** 3);
  const crop = new Float32Array(side ** 3);
  for (let z = 0; z < side; z++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        crop[(z * side + y) * side + x] = voxels[((z + from) * size + y + from) * size + x + from]!;
  const sorted = crop.toSorted();
  const [low, high] = [0.01, 0.99].map((q) => sorted[Math.round(q * (sorted.length - 1))]!) as [number, number];
  const volume = crop.map((v) => (Math.min(high, Math.max(low, v)) - low) / (high - low));
  const half = side / 2;
  const blocks = new Float32Array(volume.length);
  let at = 0;
  for (let b = 0; b < 8; b++)
    for (let z = 0; z < half; z++)
      for (let y = 0; y < half; y++)
        for (let x = 0; x < half; x++) {
          const [bz, by, bx] = [(b >> 2) * half + z, ((b >> 1) & 1) * half + y, (b & 1) * half + x];
          blocks[at++] = volume[(bz * side + by) * side + (side - 1 - bx)]!;
        }
  return {
    brain_test: { type: 'f32', shape: [1, 1, side, side, side], data: volume },
    brain_calibration: { type: 'f32', shape: [8, 1, half, half, half], data: blocks },
  };
}
