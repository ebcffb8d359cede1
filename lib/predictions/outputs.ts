// How postprocessors find and read outputs of a model.
import { LowpError } from '../errors/lowp-error.ts';
import { toFloat64 } from '../tensor/convert.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Outputs } from './postprocessor.ts';

/**
 * The named output, or the only one when no name is given.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID`
 */
export function pickOutput(outputs: Outputs, name: string | undefined, postprocess: string): Tensor {
  const names = Object.keys(outputs);
  const found = name === undefined ? (names.length === 1 ? names[0] : undefined) : name;
  const value = found === undefined || !Object.hasOwn(outputs, found) ? undefined : outputs[found];
  if (value) return value;
  const problem = name === undefined ? `the model has ${names.length} outputs` : `the model has no output '${name}'`;
  throw new LowpError('ERR_CONFIG_INVALID', `postprocess ${postprocess}: ${problem}; they are ${names.join(', ')}`, {
    help: 'Name the output in the dataset file.',
  });
}

/**
 * The rows of an output `[1, rows, columns]` or `[rows, columns]`.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID` for another rank, a batch, or fewer columns than `least`
 */
export function matrixOf(
  t: Tensor,
  least: number,
  postprocess: string,
): { readonly rows: number; readonly columns: number; readonly values: Float64Array } {
  const shape: Shape = t.shape.length > 2 && t.shape.slice(0, -2).every((d) => d === 1) ? t.shape.slice(-2) : t.shape;
  if (shape.length === 2 && shape[1]! >= least) return { rows: shape[0]!, columns: shape[1]!, values: toFloat64(t) };
  throw new LowpError(
    'ERR_CONFIG_INVALID',
    `postprocess ${postprocess}: the output has the shape ${formatShape(t.shape)}; expected [1, rows, ${least} or more]`,
  );
}
