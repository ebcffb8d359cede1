// One image file becomes pixels of the size and in the layout that a model takes, with sharp.
import type sharpModule from 'sharp';
import type { Sharp } from 'sharp';
import { limits } from '../errors/limits.ts';
import { LowpError } from '../errors/lowp-error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { random } from '../util/random.ts';
import type { Geometry } from './dataset.ts';
import { type Normalization, normalizePixels } from './normalize.ts';
import { resizeArea } from './resize-area.ts';

export interface ImageOptions extends Normalization {
  /**
   * `WxH` (aspect ratio is not kept), `short:N` (short side to N), `letterbox:WxH` (the whole image inside, the rest is
   * `pad`) or `factor:F`.
   */
  readonly resize?: string;
  /** Value of the pixels around a letterboxed image; default 0. */
  readonly pad?: number;
  /** Where a letterboxed image lies; default `center`. */
  readonly align?: 'center' | 'top-left';
  /** `WxH`, from the centre. */
  readonly crop?: string;
  /** Share of height and of width that is kept, from the centre, before anything is resized. */
  readonly centralFraction?: number;
  /** All but `nearest` and `area` look at wider areas when they shrink; `linear` is the default. */
  readonly interpolation?: 'linear' | 'cubic' | 'lanczos3' | 'nearest' | 'area';
  readonly color?: 'rgb' | 'bgr' | 'gray';
  /** What the model takes; default NCHW. */
  readonly layout?: 'NCHW' | 'NHWC';
  /** Gaussian noise on 0…255 values before normalization, the same for the same seed and place in the dataset. */
  readonly noise?: { readonly sigma: number; readonly seed: number };
}

/** Pixels that one image may have at most. */
const maxImagePixels = limits.imagePixels.value;

type SharpFactory = typeof sharpModule;
const kernels = { linear: 'linear', cubic: 'cubic', lanczos3: 'lanczos3', nearest: 'nearest' } as const;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size after resizing, for an image of the given size. */
type Resize = (image: Size) => Size;

/** How to decode, with the sizes read. */
export interface Decoding extends Omit<ImageOptions, 'resize' | 'crop'> {
  readonly sharp: SharpFactory;
  readonly resize?: Resize;
  readonly letterbox?: Size;
  readonly crop?: Size;
}

/** Bytes with the channels innermost. */
interface Pixels extends Size {
  readonly data: Uint8Array;
  readonly channels: number;
}

/**
 * Reads the sizes of the options.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID`; `ERR_DATA_IMAGES` when sharp cannot be loaded
 */
export async function decodingOf(options: ImageOptions): Promise<Decoding> {
  const { resize, crop, ...rest } = options;
  const sizes = {
    ...(resize === undefined ? {} : parseResize(resize)),
    ...(crop === undefined ? {} : { crop: parseSize(crop, '--crop', 'WxH') }),
  };
  return { ...rest, ...sizes, sharp: await loadSharp() };
}

/**
 * The image of a file, batch 1, and how its pixels got there.
 *
 * @param index  place in the dataset, for noise
 * @throws {LowpError} `ERR_DATA_FORMAT` for a file that is not a readable image, `ERR_DATA_SHAPE`
 */
export async function decodeImage(
  file: string,
  index: number,
  options: Decoding,
): Promise<{ readonly tensor: Tensor; readonly geometry: Geometry }> {
  try {
    const source = await raw(
      colored(options.sharp(file, { limitInputPixels: maxImagePixels, failOn: 'error' }), options),
    );
    const middle = centre(source, options);
    const resized = await resizePixels(middle.pixels, options);
    const scaleX = resized.width / middle.pixels.width;
    const scaleY = resized.height / middle.pixels.height;
    const { pixels, left, top } = place(resized, file, options);
    const values = options.noise ? disturbed(pixels.data, options.noise, index) : pixels.data;
    const normalization = { ...options, reverseChannels: options.color === 'bgr' };
    return {
      tensor: normalizePixels(values, pixels, options.layout ?? 'NCHW', normalization),
      geometry: {
        width: source.width,
        height: source.height,
        inputWidth: pixels.width,
        inputHeight: pixels.height,
        scaleX,
        scaleY,
        left: left - middle.x * scaleX,
        top: top - middle.y * scaleY,
      },
    };
  } catch (error) {
    if (error instanceof LowpError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new LowpError('ERR_DATA_FORMAT', `${file} cannot be read as an image: ${reason}`, {
      path: file,
      cause: error,
    });
  }
}

function colored(image: Sharp, { color }: Decoding): Sharp {
  return image
    .rotate()
    .toColourspace(color === 'gray' ? 'b-w' : 'srgb')
    .removeAlpha();
}

async function raw(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

async function resizePixels(source: Pixels, options: Decoding): Promise<Pixels> {
  if (!options.resize) return source;
  const { width, height } = options.resize(source);
  if (width * height > maxImagePixels)
    throw new LowpError('ERR_LIMIT_SIZE', `an image would be resized to ${width}x${height} pixels`);
  if (width === source.width && height === source.height) return source;
  const { interpolation = 'linear' } = options;
  if (interpolation === 'area')
    return { ...source, width, height, data: resizeArea(source.data, source, width, height) };
  const image = options.sharp(source.data, { raw: { ...sizeOf(source), channels: source.channels as 1 | 3 } });
  const resized = image.resize({ width, height, fit: 'fill', kernel: kernels[interpolation] });
  return raw(source.channels === 1 ? resized.toColourspace('b-w') : resized);
}

/** The middle of an image: `⌊height · f⌋` rows of `⌊width · f⌋` pixels, at least one, and where it begins. */
function centre(
  image: Pixels,
  { centralFraction = 1 }: Decoding,
): { readonly pixels: Pixels; readonly x: number; readonly y: number } {
  if (centralFraction === 1) return { pixels: image, x: 0, y: 0 };
  const width = Math.max(1, Math.floor(image.width * centralFraction));
  const height = Math.max(1, Math.floor(image.height * centralFraction));
  const [x, y] = [(image.width - width) >> 1, (image.height - height) >> 1];
  return { pixels: moved(image, { width, height }, { left: -x, top: -y, pad: 0 }), x, y };
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}

/** Padding of a letterbox, then the crop. */
function place(
  image: Pixels,
  file: string,
  { letterbox, crop, pad = 0, align = 'center' }: Decoding,
): { readonly pixels: Pixels; readonly left: number; readonly top: number } {
  const centered = align === 'center';
  const left = letterbox && centered ? (letterbox.width - image.width) >> 1 : 0;
  const top = letterbox && centered ? (letterbox.height - image.height) >> 1 : 0;
  const padded = letterbox ? moved(image, letterbox, { left, top, pad }) : image;
  if (!crop) return { pixels: padded, left, top };
  if (padded.width < crop.width || padded.height < crop.height) {
    const sizes = `the image is ${padded.width}x${padded.height}, too small to crop ${crop.width}x${crop.height}`;
    throw new LowpError('ERR_DATA_SHAPE', `${file}: ${sizes}`, { path: file });
  }
  const x = (padded.width - crop.width) >> 1;
  const y = (padded.height - crop.height) >> 1;
  return { pixels: moved(padded, crop, { left: -x, top: -y, pad }), left: left - x, top: top - y };
}

/** The image on a canvas, shifted to the right and down. */
function moved(
  { data, width, height, channels }: Pixels,
  canvas: Size,
  { left, top, pad }: { readonly left: number; readonly top: number; readonly pad: number },
): Pixels {
  const out = new Uint8Array(canvas.width * canvas.height * channels).fill(pad);
  const from = Math.max(0, -left);
  const to = Math.min(width, canvas.width - left);
  for (let y = Math.max(0, -top); y < Math.min(height, canvas.height - top); y++) {
    const row = data.subarray((y * width + from) * channels, (y * width + to) * channels);
    out.set(row, ((y + top) * canvas.width + from + left) * channels);
  }
  return { data: out, ...sizeOf(canvas), channels };
}

function disturbed(
  values: Uint8Array,
  { sigma, seed }: { readonly sigma: number; readonly seed: number },
  index: number,
): Float32Array {
  const r = random((seed + Math.imul(index + 1, 0x9e3779b1)) >>> 0);
  return Float32Array.from(values, (v) => v + sigma * r.normal());
}

/** @throws {LowpError} `ERR_CONFIG_INVALID` */
function parseResize(text: string): Pick<Decoding, 'resize' | 'letterbox'> {
  const expected = 'WxH, short:N, letterbox:WxH or factor:F';
  const [, kind = '', size = ''] = /^(?:(short|letterbox|factor):)?(.*)$/.exec(text)!;
  if (kind === 'factor') {
    const factor = Number(size);
    if (!(factor > 0 && factor <= 100)) throw sizeError('--resize', text, expected);
    return { resize: (image) => scaled(image, factor) };
  }
  const wanted = parseSize(kind === 'short' ? `${size}x${size}` : size, '--resize', expected, text);
  if (kind === '') return { resize: () => wanted };
  const ratio = kind === 'short' ? Math.max : Math.min;
  return {
    resize: (image) => scaled(image, ratio(wanted.width / image.width, wanted.height / image.height)),
    ...(kind === 'letterbox' ? { letterbox: wanted } : {}),
  };
}

function scaled({ width, height }: Size, factor: number): Size {
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** @throws {LowpError} `ERR_CONFIG_INVALID` */
function parseSize(size: string, option: string, expected: string, text = size): Size {
  const match = /^(\d+)x(\d+)$/.exec(size);
  const [width, height] = [Number(match?.[1]), Number(match?.[2])];
  if (width >= 1 && height >= 1 && width * height <= maxImagePixels) return { width, height };
  throw sizeError(option, text, expected);
}

function sizeError(option: string, text: string, expected: string): LowpError {
  return new LowpError('ERR_CONFIG_INVALID', `${option} ${text}: expected ${expected}, at least 1x1`);
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
