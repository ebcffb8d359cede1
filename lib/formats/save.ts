// Saving models: the extension chooses the format, the options how constants are stored.
import { LowpError } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import { compressWeights } from '../ops/storage/compress-weights.ts';
import { decompressConstants, restoreStoredTypes } from '../ops/storage/decompress-constants.ts';
import { forgetStoredTypes, markForHalf, promoteHalf } from '../ops/storage/half-precision.ts';
import { writeFilesAtomically } from './atomic-write.ts';

/** How to store a model. */
export interface SaveOptions {
  /** Type of floating-point constants; by default each one is stored as it was in the file it came from. */
  readonly precision?: 'fp32' | 'fp16';
  /** Store quantized weights of an IR as integers with a scale instead of FakeQuantize; ONNX always does. Default true. */
  readonly compressWeights?: boolean;
  /**
   * How an ONNX file of a quantized model computes: `pairs` of QuantizeLinear and DequantizeLinear around float operators
   * (the default), or `operators` on integers such as QLinearConv.
   */
  readonly onnxForm?: 'pairs' | 'operators';
}

/**
 * The format that a file name chooses.
 *
 * @throws {LowpError} `ERR_FORMAT_UNSUPPORTED` for other extensions than `.xml` and `.onnx`
 */
export function outputFormat(path: string): 'ir' | 'onnx' {
  if (/\.xml$/i.test(path)) return 'ir';
  if (/\.onnx$/i.test(path)) return 'onnx';
  throw new LowpError('ERR_FORMAT_UNSUPPORTED', `'${path}' ends in neither .xml nor .onnx`, {
    path,
    help: 'The extension of the output chooses the format.',
  });
}

/**
 * Writes a model, as it is at the time of the call, as `.xml` with a `.bin` beside it, or as `.onnx`. The model itself
 * is not changed. The files are written completely or not at all.
 *
 * @throws {LowpError} `ERR_FORMAT_UNSUPPORTED` for other extensions and for what the format cannot hold, `ERR_LIMIT_SIZE`,
 *   `ERR_IO_WRITE`
 */
export async function saveModel(model: Model, path: string, options: SaveOptions = {}): Promise<void> {
  if (outputFormat(path) === 'onnx') {
    const stored = asStored(model, options, true);
    const { writeOnnx } = await import('./onnx/write.ts');
    await writeFilesAtomically([{ path, content: writeOnnx(stored, { form: options.onnxForm ?? 'pairs' }) }]);
    return;
  }
  const stored = asStored(model, options, options.compressWeights !== false);
  const [{ writeIr }, { widenForeignConstants }] = await Promise.all([
    import('./ir/write.ts'),
    import('./ir/foreign-types.ts'),
  ]);
  widenForeignConstants(stored);
  const { xml, bin } = writeIr(stored);
  await writeFilesAtomically([
    { path: path.replace(/\.xml$/i, '.bin'), content: bin },
    { path, content: xml },
  ]);
}

/** A copy of the model whose constants are what the file is to hold. */
function asStored(model: Model, options: SaveOptions, integers: boolean): Model {
  const copy = model.clone();
  if (options.precision === 'fp32') {
    decompressConstants(copy);
    promoteHalf(copy);
    forgetStoredTypes(copy);
  }
  if (integers) compressWeights(copy);
  if (options.precision === 'fp16') markForHalf(copy);
  restoreStoredTypes(copy);
  return copy;
}
