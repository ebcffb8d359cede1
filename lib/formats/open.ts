// Opening models by file name and content.
import { limits } from '../errors/limits.ts';
import { LowpError, throwIfAborted } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import { applyShapes } from '../ops/infer-model.ts';
import type { Shape } from '../tensor/shape.ts';
import { readRegularFile } from '../util/read-file.ts';
import { type Sniffed, sniff } from './sniff.ts';

/** How to open a model. */
export interface OpenOptions {
  readonly signal?: AbortSignal;
  /** Content of the .bin, when the bytes of an .xml are given instead of a path. */
  readonly weights?: Uint8Array;
  /**
   * Shapes of inputs by name, as `reshape` takes them: -1 is a dynamic dimension. Inputs whose rank the file leaves open are
   * in an IR `...`, named here as their layers, and in an ONNX model those without a shape.
   */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /** Shapes of the tensors of ONNX inputs that are sequences or optional, by name; null when an optional is absent. */
  readonly elements?: Readonly<Record<string, readonly Shape[] | null>>;
}

/**
 * Reads a model: an IR `.xml` with its `.bin` beside it, or an `.onnx`. The extension says what is expected, the content
 * decides.
 *
 * @param source  a path, or the bytes of the `.xml` or `.onnx`, which must not be changed before the promise settles
 * @throws {LowpError} `ERR_IO_NOT_FOUND`, `ERR_IO_READ`, `ERR_LIMIT_SIZE` (an `.onnx` of 2 GB and more),
 *   `ERR_FORMAT_EMPTY`, `ERR_FORMAT_UNKNOWN` (with what the file
 *   looks like), `ERR_ABORTED`, what the readers throw, and what `reshape` throws for `options.shapes`
 */
export async function openModel(source: string | Uint8Array, options: OpenOptions = {}): Promise<Model> {
  throwIfAborted(options.signal);
  if (typeof source !== 'string') return readBytes(source, options.weights, undefined, options);
  if (/\.bin$/i.test(source)) throw weightsGiven(source);
  const isOnnx = /\.onnx$/i.test(source);
  const bytes = await readWhole(source, options.signal, isOnnx ? limits.onnxBytes.value : undefined);
  const weights = /\.xml$/i.test(source) ? await readIfPresent(weightsPath(source), options.signal) : undefined;
  throwIfAborted(options.signal);
  return readBytes(bytes, options.weights ?? weights, source, options);
}

/** What a reader knows besides the bytes. */
interface Source {
  readonly path: string | undefined;
  readonly weights: Uint8Array | undefined;
  readonly options: Pick<OpenOptions, 'shapes' | 'elements'>;
}

/** Readers by format. They are loaded when a file needs them: each brings a parser, and most processes read one format. */
const readers = {
  ir: async (bytes: Uint8Array, { path, weights, options: { shapes } }: Source): Promise<Model> => {
    const { readIr } = await import('./ir/read.ts');
    return readIr(bytes, weights, { ...(path === undefined ? {} : { path }), ...(shapes ? { shapes } : {}) });
  },
  onnx: async (bytes: Uint8Array, { path, options: { shapes, elements } }: Source): Promise<Model> => {
    const { readOnnx } = await import('./onnx/read.ts');
    return readOnnx(bytes, {
      ...(path === undefined ? {} : { path }),
      isOwned: path !== undefined,
      ...(shapes ? { shapes } : {}),
      ...(elements ? { elements } : {}),
    });
  },
};

async function readBytes(
  bytes: Uint8Array,
  weights: Uint8Array | undefined,
  path: string | undefined,
  options: OpenOptions,
): Promise<Model> {
  const details = path === undefined ? {} : { path };
  const shown = path === undefined ? 'the model' : `'${path}'`;
  if (bytes.length === 0) throw new LowpError('ERR_FORMAT_EMPTY', `${shown} is empty`, details);
  const content = sniff(bytes);
  const format = formatOf(content, path);
  if (format) {
    const model = await readers[format](bytes, { path, weights, options });
    applyShapes(model, options.shapes ?? {});
    return model;
  }
  const what = content.kind === 'foreign' ? `is ${content.what}` : 'is neither an IR (.xml) nor an ONNX model (.onnx)';
  const help = content.kind === 'foreign' ? content.help : undefined;
  throw new LowpError('ERR_FORMAT_UNKNOWN', `${shown} ${what}`, { ...details, ...(help ? { help } : {}) });
}

/** What the content says; where it says nothing, what the extension says. */
function formatOf(content: Sniffed, path: string | undefined): keyof typeof readers | undefined {
  if (content.kind === 'ir' || content.kind === 'onnx') return content.kind;
  if (content.kind === 'foreign') return undefined;
  if (path && /\.xml$/i.test(path)) return 'ir';
  return path && /\.onnx$/i.test(path) ? 'onnx' : undefined;
}

function weightsPath(path: string): string {
  return path.replace(/\.xml$/i, '.bin');
}

function weightsGiven(path: string): LowpError {
  const xml = path.replace(/\.bin$/i, '.xml');
  return new LowpError('ERR_FORMAT_UNKNOWN', `'${path}' holds the weights of an IR, the model itself is in the .xml`, {
    path,
    help: `Give '${xml}'.`,
  });
}

async function readIfPresent(path: string, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  try {
    return await readWhole(path, signal);
  } catch (error) {
    if (error instanceof LowpError && error.code === 'ERR_IO_NOT_FOUND') return undefined;
    throw error;
  }
}

/** A regular file, whole. */
async function readWhole(path: string, signal: AbortSignal | undefined, most?: number): Promise<Uint8Array> {
  const content = await readRegularFile(path, { signal, ...(most === undefined ? {} : { most }) });
  if (content.bytes) return content.bytes;
  throwIfAborted(signal);
  const { isMissing, isTooLarge, reason, cause } = content;
  if (isTooLarge) {
    throw new LowpError('ERR_LIMIT_SIZE', `'${path}' ${reason}`, {
      path,
      help: 'Save the model with its weights as external data: the .onnx then holds the graph only.',
    });
  }
  throw new LowpError(isMissing ? 'ERR_IO_NOT_FOUND' : 'ERR_IO_READ', `'${path}' ${reason}`, { path, cause });
}
