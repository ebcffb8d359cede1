// Labels of a dataset: one integer class for each sample.
import path from 'node:path';
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat64 } from '../tensor/convert.ts';
import { readNpy } from '../tensor/npy.ts';
import { readBytes } from './numpy.ts';

const largestClass = 2 ** 31 - 1;

/**
 * Reads labels from `.npy` (integers), `.json` (an array, or an object from file name to class) or `.txt`
 * (one class a line, or `file class` a line).
 *
 * @param files  file names of the samples, for labels that go by name
 * @throws {LowpError} `ERR_DATA_LABELS` when their number differs from the samples', a class is not an integer or a
 *   file has none
 */
export async function readLabels(file: string, samples: number, files?: readonly string[]): Promise<Int32Array> {
  const bytes = await readBytes(file);
  const extension = path.extname(file).toLowerCase();
  let labels: number[];
  if (extension === '.npy') labels = Array.from(toFloat64(readNpy(bytes, file)));
  else if (extension === '.json') labels = fromJson(new TextDecoder().decode(bytes), file, files);
  else labels = fromText(new TextDecoder().decode(bytes), file, files);
  if (labels.length !== samples) {
    throw new LowpError('ERR_DATA_LABELS', `${file} has ${labels.length} labels, the dataset has ${samples} samples`, {
      path: file,
    });
  }
  const bad = labels.findIndex((l) => !Number.isInteger(l) || l < 0 || l > largestClass);
  if (bad >= 0) {
    throw new LowpError('ERR_DATA_LABELS', `${file}: label ${bad} is ${labels[bad]}, not the number of a class`, {
      path: file,
    });
  }
  return Int32Array.from(labels);
}

function fromText(text: string, file: string, files: readonly string[] | undefined): number[] {
  const rows = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const named = rows.map((row) => /^(.*\S)\s+(\d+)$/.exec(row.trim()));
  if (rows.length > 0 && named.every((m) => m !== null)) {
    return byName(new Map(named.map((m) => [path.basename(m[1]!), Number(m[2])])), file, files);
  }
  return rows.map(Number);
}

function fromJson(text: string, file: string, files: readonly string[] | undefined): number[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new LowpError('ERR_DATA_LABELS', `${file} is not valid JSON: ${String(error)}`, { path: file, cause: error });
  }
  if (Array.isArray(value)) return value.map(Number);
  if (typeof value === 'object' && value !== null) {
    return byName(new Map(Object.entries(value).map(([k, v]) => [path.basename(k), Number(v)])), file, files);
  }
  throw new LowpError('ERR_DATA_LABELS', `${file}: expected an array of classes or an object from file name to class`, {
    path: file,
  });
}

function byName(classes: ReadonlyMap<string, number>, file: string, files: readonly string[] | undefined): number[] {
  if (!files) return [...classes.values()];
  return files.map((name) => {
    const label = classes.get(name);
    if (label === undefined) throw new LowpError('ERR_DATA_LABELS', `${file} has no label for ${name}`, { path: file });
    return label;
  });
}
