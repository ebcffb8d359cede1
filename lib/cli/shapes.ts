// `--shape`: models for other input shapes than their own.
import type { Command } from 'commander';
import { LowpError } from '../errors/lowp-error.ts';
import { openModel } from '../formats/index.ts';
import { inputName, type Model } from '../graph/model.ts';
import { reshape } from '../ops/infer-model.ts';
import { collect, namedValues } from './options.ts';

export interface ShapeOptions {
  readonly shape?: readonly string[];
}

/** Adds `--shape`. */
export function addShapeOption(command: Command): Command {
  return command.option(
    '--shape <name=dims>',
    'shape of an input in place of the model’s own, NAME=1,3,224,224; ? for a size that is free (repeat)',
    collect,
  );
}

/**
 * Opens a model for the input shapes of `--shape`.
 *
 * @throws {LowpError} what `openModel` and `reshape` throw, `ERR_CLI_USAGE` for texts that are no shapes
 */
export async function openShaped(file: string, { shape = [] }: ShapeOptions, signal: AbortSignal): Promise<Model> {
  const isNamed = (text: string): boolean => text.indexOf('=') > 0;
  const named = namedValues(shape.filter(isNamed), undefined, '--shape');
  const shapes = Object.fromEntries([...named].map(([name, text]) => [name, dimensions(name, text)]));
  const model = await openModel(file, { signal, shapes });
  const bare = shape.filter((text) => !isNamed(text));
  return bare.length === 0 ? model : reshape(model, shapesOf(bare, [model]));
}

/**
 * Shapes of inputs from `NAME=1,3,224,224`; the name may be left out when the models have one input.
 *
 * @throws {LowpError} `ERR_CLI_USAGE` also for a name that no model has
 */
export function shapesOf(list: readonly string[], models: readonly Model[]): Record<string, number[]> {
  const names = [...new Set(models.flatMap((m) => m.parameters().map(inputName)))];
  const shapes: Record<string, number[]> = {};
  for (const [name, text] of namedValues(list, names.length === 1 ? names[0] : undefined, '--shape')) {
    const dims = dimensions(name, text);
    if (!names.includes(name))
      throw new LowpError(
        'ERR_CLI_USAGE',
        `--shape ${name}: there is no such input; the inputs are ${names.join(', ')}`,
      );
    shapes[name] = dims;
  }
  return shapes;
}

function dimensions(name: string, text: string): number[] {
  const dims = text.split(',').map((part) => (part === '?' ? -1 : Number(part)));
  if (text.split(',').every((part, i) => part === '?' || (Number.isSafeInteger(dims[i]) && dims[i]! >= 1))) return dims;
  throw new LowpError('ERR_CLI_USAGE', `--shape ${name}=${text}: expected sizes like 1,3,224,224, or ? for any size`);
}
