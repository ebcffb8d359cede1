// Postprocessors by the name that dataset files give.
import { LowpError } from '../errors/lowp-error.ts';
import { argmax } from './argmax.ts';
import { detectionOutput } from './detection-output.ts';
import type { Postprocessor, PostprocessorDefinition } from './postprocessor.ts';
import { residual } from './residual.ts';
import { scoredBoxes } from './scored-boxes.ts';
import { yolo } from './yolo.ts';

export type { Outputs, Postprocessor, PostprocessorDefinition } from './postprocessor.ts';

/** Every kind of postprocessor. */
export const postprocessors: readonly PostprocessorDefinition[] = [
  yolo,
  scoredBoxes,
  detectionOutput,
  argmax,
  residual,
];

/**
 * The postprocessor that a dataset file asks for: a name, or an object with the name as `type` and options.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID`
 */
export function findPostprocessor(what: string | Readonly<Record<string, unknown>>): Postprocessor {
  const { type, ...options } = typeof what === 'string' ? { type: what } : what;
  const definition = postprocessors.find((p) => p.name === type);
  if (!definition) {
    const known = postprocessors.map((p) => p.name).join(', ');
    throw new LowpError('ERR_CONFIG_INVALID', `the postprocess '${String(type)}' is not known; expected ${known}`);
  }
  const parsed = definition.options.safeParse(options);
  if (parsed.success) return definition.create(parsed.data as never);
  const issue = parsed.error.issues[0]!;
  const where = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new LowpError('ERR_CONFIG_INVALID', `postprocess ${definition.name}: ${where}${issue.message}`);
}
