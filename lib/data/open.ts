// `--data SPEC`: decides what kind of data a specification names, and opens it.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import type { Dataset, InputInfo } from './dataset.ts';
import { type ImageOptions, openImages } from './image-folder.ts';
import { readLabels } from './labels.ts';
import { openNumpy, readBytes } from './numpy.ts';
import { syntheticData } from './synthetic.ts';

/** How files become inputs; every field may also stand in a dataset file. */
export interface DataOptions {
  readonly resize?: string | undefined;
  readonly crop?: string | undefined;
  readonly interpolation?: ImageOptions['interpolation'] | undefined;
  readonly color?: ImageOptions['color'] | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly scale?: readonly number[] | undefined;
  /** What the model takes; default NCHW. */
  readonly layout?: 'NCHW' | 'NHWC' | undefined;
  /** How an array on disk is laid out, when it differs from what the model takes. */
  readonly sourceLayout?: 'NCHW' | 'NHWC' | undefined;
  readonly labels?: string | undefined;
  readonly metrics?: readonly string[] | undefined;
}

/** Data with what belongs to it. */
export interface OpenedData {
  readonly data: Dataset;
  /** Options after the dataset file was merged in. */
  readonly options: DataOptions;
  /** Reads the labels that go with the data, undefined when none are named. */
  labels(): Promise<Int32Array | undefined>;
}

const numbers = z.union([z.number(), z.array(z.number())]).transform((v) => (typeof v === 'number' ? [v] : v));
const layouts = z.enum(['NCHW', 'NHWC']);

/** A dataset file, YAML or JSON; paths are relative to the file. */
export const datasetFileSchema = z.strictObject({
  data: z.string().describe('a .npy or .npz file, a folder or glob of images'),
  labels: z.string().optional().describe('.npy, .txt or .json with one class per sample'),
  metrics: z.array(z.string()).optional(),
  resize: z.string().optional().describe('WxH or short:N'),
  crop: z.string().optional().describe('WxH from the centre'),
  interpolation: z.enum(['linear', 'cubic', 'nearest', 'area']).optional(),
  color: z.enum(['rgb', 'bgr', 'gray']).optional(),
  mean: numbers.optional(),
  scale: numbers.optional(),
  layout: layouts.optional(),
  sourceLayout: layouts.optional(),
});

/**
 * Opens `FILE.npy`, `NAME=FILE.npy,…`, `FILE.npz`, a folder or glob of images, a dataset file, or `random`.
 *
 * @throws {LowpError} `ERR_IO_*`, `ERR_DATA_*`, `ERR_CONFIG_INVALID`
 */
export async function openData(
  spec: string,
  inputs: readonly InputInfo[],
  options: DataOptions = {},
): Promise<OpenedData> {
  if (isDatasetFile(spec)) {
    const file = await readDatasetFile(spec);
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return openData(file.data, inputs, { ...file, ...given });
  }
  if (options.scale?.includes(0)) throw new LowpError('ERR_CONFIG_INVALID', 'scale divides, it cannot be 0');
  const opened = await openPlain(spec, inputs, options);
  const labels = async (): Promise<Int32Array | undefined> =>
    options.labels === undefined
      ? undefined
      : readLabels(options.labels, opened.length, 'files' in opened ? opened.files : undefined);
  return { data: opened, options, labels };
}

async function openPlain(
  spec: string,
  inputs: readonly InputInfo[],
  options: DataOptions,
): Promise<Dataset & { files?: readonly string[] }> {
  if (spec === 'random') return syntheticData(inputs, 1);
  const { mean, scale, color } = options;
  if (/\.np[yz]($|,)/.test(spec)) {
    return openNumpy(spec, inputs, {
      ...(mean ? { mean } : {}),
      ...(scale ? { scale } : {}),
      channelsLast: options.sourceLayout === 'NHWC' && options.layout !== 'NHWC',
      reverseChannels: color === 'bgr',
    });
  }
  const info = await stat(spec).catch(() => undefined);
  if (!info && !spec.includes('*')) throw new LowpError('ERR_IO_NOT_FOUND', `${spec} does not exist`, { path: spec });
  const defined = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return openImages(spec, inputs, defined as ImageOptions);
}

function isDatasetFile(spec: string): boolean {
  return ['.yaml', '.yml', '.json'].includes(path.extname(spec).toLowerCase());
}

/** @throws {LowpError} `ERR_CONFIG_INVALID`, `ERR_IO_NOT_FOUND`, `ERR_IO_READ` */
async function readDatasetFile(file: string): Promise<z.output<typeof datasetFileSchema>> {
  const text = new TextDecoder().decode(await readBytes(file));
  const fail = (reason: string, cause?: unknown): never => {
    throw new LowpError('ERR_CONFIG_INVALID', `the dataset file ${file} ${reason}`, { path: file, cause });
  };
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    fail(`is not valid YAML or JSON: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const parsed = datasetFileSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return fail(`is not valid: ${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`);
  }
  const { data, labels, ...rest } = parsed.data;
  if (isDatasetFile(data)) fail(`names another dataset file, ${data}, as its data`);
  const folder = path.dirname(file);
  const resolve = (part: string): string => {
    const at = part.indexOf('=');
    return `${part.slice(0, at + 1)}${path.resolve(folder, part.slice(at + 1))}`;
  };
  return {
    ...rest,
    data: data.includes('=') ? data.split(',').map(resolve).join(',') : path.resolve(folder, data),
    ...(labels === undefined ? {} : { labels: path.resolve(folder, labels) }),
  };
}
