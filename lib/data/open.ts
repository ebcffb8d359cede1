// `--data SPEC`: decides what kind of data a specification names, and opens it.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import { arrayExtensions, openArrayFiles } from './array-files.ts';
import { type Dataset, firstSamples, type InputInfo } from './dataset.ts';
import { type ImageOptions, openImages } from './image-folder.ts';
import { readLabels } from './labels.ts';
import { listFiles } from './list-files.ts';
import type { Normalization } from './normalize.ts';
import { openNumpy, readBytes } from './numpy.ts';
import { syntheticData } from './synthetic.ts';
import { numbers, openTruths, resolveTruth, type TruthSource, type Truths, truthSchema } from './truths.ts';

/** How files become inputs; every field may also stand in a dataset file. */
export interface DataOptions {
  readonly resize?: string | undefined;
  readonly pad?: number | undefined;
  readonly align?: ImageOptions['align'] | undefined;
  readonly crop?: string | undefined;
  readonly noise?: ImageOptions['noise'] | undefined;
  /** Images: share of height and width that is kept, from the centre, before resizing. */
  readonly centralFraction?: number | undefined;
  readonly interpolation?: ImageOptions['interpolation'] | undefined;
  readonly color?: ImageOptions['color'] | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly scale?: readonly number[] | undefined;
  /** What the model takes; default NCHW. */
  readonly layout?: 'NCHW' | 'NHWC' | undefined;
  /** How an array on disk is laid out, when it differs from what the model takes. */
  readonly sourceLayout?: 'NCHW' | 'NHWC' | undefined;
  /** A file with one class per sample; from dataset files also boxes, maps or images. */
  readonly labels?: string | TruthSource | undefined;
  readonly metrics?: readonly string[] | undefined;
  /** Use the first samples only, so many. */
  readonly limit?: number | undefined;
  /** How outputs become what the metrics read; the evaluation interprets it. */
  readonly postprocess?: string | Readonly<Record<string, unknown>> | undefined;
  /** A model whose predictions are the truth, where there are no labels. */
  readonly reference?: string | undefined;
}

/** Data with what belongs to it. */
export interface OpenedData {
  readonly data: Dataset;
  /** Options after the dataset file was merged in. */
  readonly options: DataOptions;
  /** Reads the labels that go with the data, undefined when none are named. */
  labels(): Promise<Int32Array | Truths | undefined>;
}

const layouts = z.enum(['NCHW', 'NHWC']);

/** A dataset file, YAML or JSON; paths are relative to the file. */
export const datasetFileSchema = z.strictObject({
  data: z.string().describe('a .npy or .npz file, a folder or glob of images or of arrays with a sample each'),
  labels: z
    .union([z.string(), truthSchema])
    .optional()
    .describe('.npy, .txt or .json with one class per sample; or boxes, maps, images'),
  metrics: z.array(z.string()).optional(),
  limit: z.number().int().min(1).optional(),
  postprocess: z
    .union([z.string(), z.looseObject({ type: z.string() })])
    .optional()
    .describe('how outputs become what the metrics read'),
  reference: z.string().optional().describe('a model whose predictions are the truth, without labels'),
  resize: z.string().optional().describe('WxH, short:N, letterbox:WxH or factor:F'),
  pad: z.number().int().min(0).max(255).optional().describe('value around a letterboxed image'),
  align: z.enum(['center', 'top-left']).optional().describe('where a letterboxed image lies'),
  crop: z.string().optional().describe('WxH from the centre'),
  noise: z
    .strictObject({ sigma: z.number().gt(0), seed: z.number().int().default(0) })
    .optional()
    .describe('Gaussian noise on 0…255 values'),
  interpolation: z.enum(['linear', 'cubic', 'lanczos3', 'nearest', 'area']).optional(),
  centralFraction: z.number().gt(0).max(1).optional().describe('share of height and width kept before resizing'),
  color: z.enum(['rgb', 'bgr', 'gray']).optional(),
  mean: numbers.optional(),
  scale: numbers.optional(),
  layout: layouts.optional(),
  sourceLayout: layouts.optional(),
});

/**
 * Opens `FILE.npy`, `NAME=FILE.npy,…`, `FILE.npz`, a folder, glob or `.txt` list of images or of `.npy` and `.npz` files with
 * a sample each, a dataset file, or `random`.
 *
 * @param defaults  for images, where neither `options` nor a dataset file says otherwise; they are not resized to the
 *   default size when a size to crop is given
 * @throws {LowpError} `ERR_IO_*`, `ERR_DATA_*`, `ERR_CONFIG_INVALID`
 */
export async function openData(
  spec: string,
  inputs: readonly InputInfo[],
  options: DataOptions = {},
  defaults: DataOptions = {},
): Promise<OpenedData> {
  if (isDatasetFile(spec)) {
    const file = await readDatasetFile(spec);
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return openData(file.data, inputs, { ...file, ...given }, defaults);
  }
  if (options.scale?.includes(0)) throw new LowpError('ERR_CONFIG_INVALID', 'scale divides, it cannot be 0');
  const fraction = options.centralFraction ?? 1;
  if (!(fraction > 0 && fraction <= 1))
    throw new LowpError('ERR_CONFIG_INVALID', `the central fraction is ${fraction}; expected more than 0, at most 1`);
  const opened = await openPlain(spec, inputs, options, defaults);
  const labels = async (): Promise<Int32Array | Truths | undefined> => {
    if (options.labels === undefined) return undefined;
    return typeof options.labels === 'string'
      ? readLabels(options.labels, opened.length, opened.files)
      : openTruths(options.labels, opened.length, opened.files);
  };
  if (options.limit === undefined || options.limit >= opened.length) return { data: opened, options, labels };
  const data = firstSamples(opened, options.limit);
  return { data, options, labels: async () => firstTruths(await labels(), data.length) };
}

function firstTruths(truths: Int32Array | Truths | undefined, length: number): Int32Array | Truths | undefined {
  if (!truths || truths instanceof Int32Array) return truths?.subarray(0, length);
  return { length, at: (index, sample) => truths.at(index, sample) };
}

async function openPlain(
  spec: string,
  inputs: readonly InputInfo[],
  options: DataOptions,
  defaults: DataOptions,
): Promise<Dataset & { files?: readonly string[] }> {
  if (spec === 'random') return syntheticData(inputs, 1);
  const { mean, scale, color } = options;
  const normalization: Normalization = {
    ...(mean ? { mean } : {}),
    ...(scale ? { scale } : {}),
    channelsLast: options.sourceLayout === 'NHWC' && options.layout !== 'NHWC',
    reverseChannels: color === 'bgr',
  };
  const isOneFile = /\.np[yz]($|,)/.test(spec) && !/[*?]/.test(spec);
  if (isOneFile) return openNumpy(spec, inputs, normalization);
  const info = await stat(spec).catch(() => undefined);
  if (!info && !spec.includes('*')) throw new LowpError('ERR_IO_NOT_FOUND', `${spec} does not exist`, { path: spec });
  const files = await listFiles(spec);
  if (arrayExtensions.has(path.extname(files[0]!).toLowerCase()))
    return openArrayFiles(spec, files, inputs, normalization);
  const defined = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { resize, ...others } = defaults;
  const size = options.resize === undefined && options.crop === undefined ? { resize } : {};
  return openImages(spec, files, inputs, { ...others, ...size, ...defined } as ImageOptions);
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
  const { parse } = await import('yaml');
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
  const { data, labels, reference, ...rest } = parsed.data;
  if (isDatasetFile(data)) fail(`names another dataset file, ${data}, as its data`);
  const folder = path.dirname(file);
  const resolve = (part: string): string => {
    const at = part.indexOf('=');
    return `${part.slice(0, at + 1)}${path.resolve(folder, part.slice(at + 1))}`;
  };
  return {
    ...rest,
    data: data.includes('=') ? data.split(',').map(resolve).join(',') : path.resolve(folder, data),
    ...(reference === undefined ? {} : { reference: path.resolve(folder, reference) }),
    ...(labels === undefined
      ? {}
      : { labels: typeof labels === 'string' ? path.resolve(folder, labels) : resolveTruth(labels, folder) }),
  };
}
