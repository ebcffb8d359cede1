// How an algorithm is offered under its name, with parameters spelled as in configuration files of OpenVINO POT.
import * as z from 'zod';
import { LowpError } from '../errors/lowp-error.ts';
import type { Node } from '../graph/node.ts';
import type { Preset } from '../quantization/configuration.ts';
import type { IgnoredScope } from '../quantization/ignored-scope.ts';
import { closestNames } from '../util/closest.ts';
import type { Algorithm } from './algorithm.ts';

/** What algorithms of one run are told besides their own parameters. */
export interface SharedSettings {
  readonly preset: Preset;
  readonly modelType?: 'transformer';
  readonly ignored?: IgnoredScope;
  /** The nodes before the model was prepared: excluding one that is gone is no mistake. */
  readonly former?: readonly Node[];
  /** Largest sum of the device's accumulator, when it has to be minded. */
  readonly largestSum?: number;
}

/** An algorithm by name, with parameters of that name's own shape. */
export interface AlgorithmDefinition<P = unknown> {
  readonly name: string;
  /** One sentence for people. */
  readonly summary: string;
  readonly params: z.ZodType<P>;
  /** The steps for one run. */
  create(params: P, shared: SharedSettings): readonly Algorithm[];
}

/** Checks the types of a definition and hides those of its parameters. */
export function defineAlgorithm<P>(definition: AlgorithmDefinition<P>): AlgorithmDefinition {
  return definition as AlgorithmDefinition<unknown> as AlgorithmDefinition;
}

/** The entries that have a value. */
export function defined<T extends object>(entries: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as T;
}

/** Which samples an algorithm looks at; the run has one subset, the largest that was asked for. */
export const subsetParams = {
  stat_subset_size: z.int().min(1).optional(),
  stat_batch_size: z.int().min(1).optional(),
};

/** An algorithm as a user names it. */
export interface AlgorithmChoice {
  readonly name: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/**
 * The steps of the chosen algorithms.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID` for an unknown name, with the nearest one, or a parameter that does not fit
 */
export function createAlgorithms(
  definitions: readonly AlgorithmDefinition[],
  choices: readonly AlgorithmChoice[],
  shared: SharedSettings,
): Algorithm[] {
  return choices.flatMap(({ name, params = {} }, i) => {
    const definition = definitions.find((d) => d.name === name);
    if (!definition) throw unknownAlgorithm(definitions, name);
    return [...definition.create(checkedParams(definition, params, `algorithms[${i}]`), shared)];
  });
}

function unknownAlgorithm(definitions: readonly AlgorithmDefinition[], name: string): LowpError {
  const names = definitions.map((d) => d.name);
  const near = closestNames(name, names, 1)[0];
  return new LowpError('ERR_CONFIG_INVALID', `the algorithm '${name}' is not known; expected ${names.join(', ')}`, {
    ...(near === undefined ? {} : { help: `Did you mean ${near}?` }),
  });
}

function checkedParams(definition: AlgorithmDefinition, params: unknown, where: string): unknown {
  const parsed = definition.params.safeParse(params);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = [where, 'params', ...issue.path].join('.');
  throw new LowpError('ERR_CONFIG_INVALID', `${definition.name}: ${path}: ${issue.message}`, {
    help: `Parameters of ${definition.name}: ${parameterNames(definition).join(', ')}.`,
  });
}

/** Names of the parameters, for help. */
export function parameterNames(definition: AlgorithmDefinition): string[] {
  return definition.params instanceof z.ZodObject ? Object.keys(definition.params.shape) : [];
}
