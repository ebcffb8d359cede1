// Datasets made of image files: decoded, resized, cropped and normalized with sharp.
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type sharpModule from 'sharp';
import type { Sharp } from 'sharp';
import { limits } from '../errors/limits.ts';
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
export const maxImagePixels = limits.imagePixels.value;
const kernels = { linear: 'linear', cubic: 'cubic', nearest: 'nearest' } as const;

type SharpFactory = typeof sharpModule;

/** How to decode, with the sizes read. */
interface Decoding extends Omit<ImageOptions, 'resize' | 'crop'> {
  readonly sharp: SharpFactory;
  readonly resize?: Size & { readonly fit: 'fill' | 'outside' };
  readonly crop?: Size;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Opens a folder (its image files, sorted by name) or a glob (`photos/*.jpg`).
 *
 * @throws {LowpError} `ERR_DATA_IMAGES` when sharp cannot be loaded, `ERR_CONFIG_INVALID` for sizes, `ERR_IO_NOT_FOUND`,
 *   `ERR_DATA_EMPTY`
 */
export async function openImages(
  spec: string,
  inputs: readonly InputInfo[],
  options: ImageOptions,
): Promise<Dataset & { readonly files: readonly string[] }> {
  if (inputs.length !== 1)
    throw new LowpError('ERR_DATA_INPUT', `${spec}: images feed a model with one input, this one has ${inputs.length}`);
  const { resize, crop, ...rest } = options;
  const sizes = {
    ...(resize ? { resize: parseResize(resize) } : {}),
    ...(crop ? { crop: parseSize(crop, '--crop') } : {}),
  };
  const files = await listImages(spec);
  if (files.length === 0) throw new LowpError('ERR_DATA_EMPTY', `${spec} contains no images`, { path: spec });
  const decoding: Decoding = { ...rest, ...sizes, sharp: await loadSharp() };
  const input = inputs[0]!;
  return {
    name: spec,
    length: files.length,
    files: files.map((f) => path.basename(f)),
    async *[Symbol.asyncIterator](): AsyncGenerator<Sample> {
      for (const file of files)
        yield { id: file, inputs: { [input.name]: fitInput(await decode(file, decoding), input, file) } };
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
  const names = await readdir(folder).catch((cause) => {
    throw new LowpError('ERR_IO_READ', `${folder} cannot be listed: ${String(cause)}`, { path: folder, cause });
  });
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

/** The version of the package that decodes images, or why there is none. */
export async function imageDecoder(): Promise<
  { readonly version: string } | { readonly version: undefined; readonly problem: string }
> {
  try {
    return { version: (await loadSharp()).versions.sharp ?? 'of unknown version' };
  } catch (error) {
    return { version: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** @throws {LowpError} `ERR_DATA_IMAGES` */
async function loadSharp(): Promise<SharpFactory> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    const reason = isMissing ? 'is not installed' : `cannot be loaded: ${String(cause)}`;
    throw new LowpError('ERR_DATA_IMAGES', `images are decoded by the package sharp, which ${reason}`, {
      help: 'Run: npm install sharp. Or give the data as .npy files.',
      cause,
    });
  }
}

/** @throws {LowpError} `ERR_DATA_FORMAT` for a file that is not a readable image */
async function decode(file: string, options: Decoding): Promise<ReturnType<typeof normalizePixels>> {
  try {
    let image = options.sharp(file, { limitInputPixels: maxImagePixels, failOn: 'error' }).rotate();
    image = options.color === 'gray' ? image.toColourspace('b-w') : image.toColourspace('srgb');
    image = await resized(image.removeAlpha(), options);
    const pipeline = options.crop ? await cropped(image, options.crop, file, options.sharp) : image;
    const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
    const reverseChannels = options.color === 'bgr';
    return normalizePixels(data, info, options.layout ?? 'NCHW', { ...options, reverseChannels });
  } catch (error) {
    if (error instanceof LowpError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new LowpError('ERR_DATA_FORMAT', `${file} cannot be read as an image: ${reason}`, {
      path: file,
      cause: error,
    });
  }
}

async function resized(image: Sharp, { resize, interpolation = 'linear', sharp }: Decoding): Promise<Sharp> {
  if (!resize) return image;
  if (interpolation !== 'area')
    return image.resize({ ...resize, kernel: kernels[interpolation], fastShrinkOnLoad: false });
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const ratio = Math.max(resize.width / info.width, resize.height / info.height);
  const keep = resize.fit === 'outside';
  const width = keep ? Math.round(info.width * ratio) : resize.width;
  const height = keep ? Math.round(info.height * ratio) : resize.height;
  return sharp(resizeArea(data, info, width, height), { raw: { width, height, channels: info.channels } });
}

/** Centre crop after resizing; needs the resized pixels to know their size. */
async function cropped(image: Sharp, { width, height }: Size, file: string, sharp: SharpFactory): Promise<Sharp> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  if (info.width < width || info.height < height) {
    throw new LowpError(
      'ERR_DATA_SHAPE',
      `${file}: the image is ${info.width}x${info.height}, too small to crop ${width}x${height}`,
      { path: file },
    );
  }
  const raw = sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
  return raw.extract({ left: (info.width - width) >> 1, top: (info.height - height) >> 1, width, height });
}

/** @throws {LowpError} `ERR_CONFIG_INVALID` */
function parseResize(text: string): NonNullable<Decoding['resize']> {
  const short = /^short:(\d+)$/.exec(text);
  if (!short) return { ...parseSize(text, '--resize'), fit: 'fill' };
  return { ...parseSize(`${short[1]}x${short[1]}`, '--resize'), fit: 'outside' };
}

/** @throws {LowpError} `ERR_CONFIG_INVALID` */
function parseSize(text: string, option: string): Size {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [width, height] = [Number(match?.[1]), Number(match?.[2])];
  if (width >= 1 && height >= 1 && width * height <= maxImagePixels) return { width, height };
  const expected = option === '--resize' ? 'WxH or short:N' : 'WxH';
  throw new LowpError('ERR_CONFIG_INVALID', `${option} ${text}: expected ${expected}, at least 1x1`);
}
