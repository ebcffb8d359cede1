// Datasets made of image files: decoded, resized, cropped and normalized with sharp.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type sharpModule from 'sharp';
import type { ResizeOptions, Sharp } from 'sharp';
import { LowpError } from '../errors/lowp-error.ts';
import { type Dataset, fitInput, type InputInfo, type Sample } from './dataset.ts';
import { type Normalization, normalizePixels } from './normalize.ts';
import { resizeArea } from './resize-area.ts';

export interface ImageOptions extends Normalization {
  /** `WxH` (aspect ratio is not kept) or `short:N` (short side to N). */
  readonly resize?: string;
  /** `WxH`, from the centre. */
  readonly crop?: string;
  readonly interpolation?: 'linear' | 'cubic' | 'nearest' | 'area';
  readonly color?: 'rgb' | 'bgr' | 'gray';
  /** What the model takes; default NCHW. */
  readonly layout?: 'NCHW' | 'NHWC';
}

const extensions = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.bmp',
  '.gif',
  '.tif',
  '.tiff',
  '.avif',
  '.ppm',
  '.pgm',
]);
/** Pixels that one image may have at most. */
export const maxImagePixels = 268_402_689;
const kernels = { linear: 'linear', cubic: 'cubic', nearest: 'nearest' } as const;

type SharpFactory = typeof sharpModule;

/**
 * Opens a folder (its image files, sorted by name) or a glob (`photos/*.jpg`).
 *
 * @throws {LowpError} `ERR_DATA_IMAGES` when sharp is not installed, `ERR_IO_NOT_FOUND`, `ERR_DATA_EMPTY`
 */
export async function openImages(
  spec: string,
  inputs: readonly InputInfo[],
  options: ImageOptions,
): Promise<Dataset & { readonly files: readonly string[] }> {
  if (inputs.length !== 1)
    throw new LowpError('ERR_DATA_INPUT', `${spec}: images feed a model with one input, this one has ${inputs.length}`);
  const files = await listImages(spec);
  if (files.length === 0) throw new LowpError('ERR_DATA_EMPTY', `${spec} contains no images`, { path: spec });
  const sharp = await loadSharp();
  const input = inputs[0]!;
  return {
    name: spec,
    length: files.length,
    files: files.map((f) => path.basename(f)),
    async *[Symbol.asyncIterator](): AsyncGenerator<Sample> {
      for (const file of files)
        yield { id: file, inputs: { [input.name]: fitInput(await decode(sharp, file, options), input, file) } };
    },
  };
}

/** The image files of a folder or glob, sorted. */
async function listImages(spec: string): Promise<string[]> {
  const star = spec.indexOf('*');
  const folder = star < 0 ? spec : path.dirname(spec.slice(0, star + 1));
  const info = await stat(folder).catch(() => undefined);
  if (!info) throw new LowpError('ERR_IO_NOT_FOUND', `${folder} does not exist`, { path: folder });
  if (star < 0 && info.isFile()) return [folder];
  const pattern = star < 0 ? undefined : globPattern(path.basename(spec));
  const names = await readdir(folder);
  return names
    .filter((n) => (pattern ? pattern.test(n) : true) && extensions.has(path.extname(n).toLowerCase()))
    .sort()
    .map((n) => path.join(folder, n));
}

/** `*` and `?` of a file name as a regular expression. */
function globPattern(glob: string): RegExp {
  const text = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${text}$`);
}

async function loadSharp(): Promise<SharpFactory> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    throw new LowpError('ERR_DATA_IMAGES', 'images are decoded by the package sharp, which is not installed', {
      help: 'Run: npm install sharp. Or give the data as .npy files.',
      cause: error,
    });
  }
}

/** @throws {LowpError} `ERR_DATA_FORMAT` for a file that is not a readable image */
async function decode(
  sharp: SharpFactory,
  file: string,
  options: ImageOptions,
): Promise<ReturnType<typeof normalizePixels>> {
  try {
    let image = sharp(file, { limitInputPixels: maxImagePixels, failOn: 'error' }).rotate();
    image = options.color === 'gray' ? image.grayscale() : image.toColourspace('srgb');
    image = image.removeAlpha();
    if (options.resize) image = await resized(image, sharp, options.resize, options.interpolation ?? 'linear');
    const pipeline = options.crop ? await cropped(image, sharp, options.crop, file) : image;
    const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
    const reverseChannels = options.color === 'bgr';
    return normalizePixels(data, info, options.layout ?? 'NCHW', { ...options, reverseChannels });
  } catch (error) {
    if (error instanceof LowpError) throw error;
    throw new LowpError(
      'ERR_DATA_FORMAT',
      `${file} cannot be read as an image: ${error instanceof Error ? error.message : String(error)}`,
      {
        path: file,
        cause: error,
      },
    );
  }
}

async function resized(
  image: Sharp,
  sharp: SharpFactory,
  resize: string,
  interpolation: NonNullable<ImageOptions['interpolation']>,
): Promise<Sharp> {
  const wanted = parseResize(resize);
  if (interpolation !== 'area')
    return image.resize({ ...wanted, kernel: kernels[interpolation], fastShrinkOnLoad: false });
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const ratio = Math.max(wanted.width / info.width, wanted.height / info.height);
  const keep = wanted.fit === 'outside';
  const width = keep ? Math.round(info.width * ratio) : wanted.width;
  const height = keep ? Math.round(info.height * ratio) : wanted.height;
  return sharp(resizeArea(data, info, width, height), { raw: { width, height, channels: info.channels } });
}

/** Centre crop after resizing; needs the resized pixels to know their size. */
async function cropped(image: Sharp, sharp: SharpFactory, crop: string, file: string): Promise<Sharp> {
  const { width, height } = parseSize(crop, '--crop');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  if (info.width < width || info.height < height) {
    throw new LowpError(
      'ERR_DATA_SHAPE',
      `${file}: the image is ${info.width}x${info.height}, too small to crop ${crop}`,
      { path: file },
    );
  }
  const raw = sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
  return raw.extract({ left: (info.width - width) >> 1, top: (info.height - height) >> 1, width, height });
}

function parseResize(text: string): ResizeOptions & { width: number; height: number } {
  const short = /^short:(\d+)$/.exec(text);
  if (short) return { width: Number(short[1]), height: Number(short[1]), fit: 'outside' };
  return { ...parseSize(text, '--resize'), fit: 'fill' };
}

/** @throws {LowpError} `ERR_CONFIG_INVALID` */
function parseSize(text: string, option: string): { width: number; height: number } {
  const match = /^(\d+)x(\d+)$/.exec(text);
  if (!match || Number(match[1]) < 1 || Number(match[2]) < 1) {
    throw new LowpError(
      'ERR_CONFIG_INVALID',
      `${option} ${text}: expected WxH${option === '--resize' ? ' or short:N' : ''}`,
    );
  }
  return { width: Number(match[1]), height: Number(match[2]) };
}
