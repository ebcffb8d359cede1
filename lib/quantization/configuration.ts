// Which configuration each quantizer gets: the device's choices, what consumers agree on, and the preset.
import { LowpError } from '../errors/lowp-error.ts';
import type { QuantizerChoice, TargetDescription } from '../targets/target.ts';

/** `performance`: symmetric activations. `mixed`: asymmetric ones, a little slower and more accurate. */
export type Preset = 'performance' | 'mixed' | 'accuracy';

export const presets = ['performance', 'mixed', 'accuracy'] as const satisfies readonly Preset[];

/** What a quantizer is for: constants that operations multiply with, or values that flow. */
export type QuantizerGroup = 'weights' | 'activations';

/** Keys that a caller may pin; only configurations with the same values are taken. */
export type PinnedChoice = Partial<Pick<QuantizerChoice, 'bits' | 'mode' | 'granularity' | 'levelLow' | 'levelHigh'>>;

/** A choice with everything derived. */
export interface QuantizerConfiguration extends QuantizerChoice {
  /** Points of the grid: `|levelHigh| + |levelLow| + 1`. */
  readonly levels: number;
  /** The grid has negative points whatever the data is. */
  readonly isSigned: boolean;
}

const pinnedKeys = ['bits', 'mode', 'granularity', 'levelLow', 'levelHigh'] as const;

/** The choices that have every pinned value; the pinned value itself when the device offers none. */
export function pinChoices(choices: readonly QuantizerChoice[], pinned: PinnedChoice = {}): readonly QuantizerChoice[] {
  const keys = pinnedKeys.filter((key) => pinned[key] !== undefined);
  if (keys.length === 0) return choices;
  const kept = choices.filter((choice) => keys.every((key) => choice[key] === pinned[key]));
  const first = choices[0];
  return kept.length > 0 || !first ? kept : [{ ...first, ...pinned }];
}

/**
 * What all consumers of a quantizer accept, in the order of the first one.
 *
 * Choices agree when mode and granularity are equal; the bits are `primaryBits` when one of them has it, else the smaller
 * number. When nothing agrees, weaker forms (per channel → per tensor, asymmetric → symmetric) are offered in front.
 */
export function intersectChoices(
  lists: readonly (readonly QuantizerChoice[])[],
  primaryBits?: number,
): readonly QuantizerChoice[] {
  const fold = (all: readonly (readonly QuantizerChoice[])[]): readonly QuantizerChoice[] =>
    all.slice(1).reduce<readonly QuantizerChoice[]>((a, b) => agree(a, b, primaryBits), all[0] ?? []);
  const common = fold(lists);
  return common.length > 0 ? common : fold(lists.map((list) => distinct([...weaker(list), ...list])));
}

function agree(
  a: readonly QuantizerChoice[],
  b: readonly QuantizerChoice[],
  primaryBits: number | undefined,
): QuantizerChoice[] {
  const both: QuantizerChoice[] = [];
  for (const x of a) {
    for (const y of b) {
      if (x.mode !== y.mode || x.granularity !== y.granularity) continue;
      if (x.bits === primaryBits || y.bits === primaryBits) both.push(x.bits === primaryBits ? x : y);
      else both.push(x.bits <= y.bits ? x : y);
    }
  }
  return distinct(both);
}

function weaker(list: readonly QuantizerChoice[]): QuantizerChoice[] {
  const perTensor = list
    .filter((c) => c.granularity === 'perChannel')
    .map((c) => ({ ...c, granularity: 'perTensor' as const }));
  const symmetric = list.filter((c) => c.mode === 'asymmetric').map((c) => ({ ...c, mode: 'symmetric' as const }));
  const both = perTensor.filter((c) => c.mode === 'asymmetric').map((c) => ({ ...c, mode: 'symmetric' as const }));
  return [...perTensor, ...symmetric, ...both];
}

function distinct(list: readonly QuantizerChoice[]): QuantizerChoice[] {
  const seen = new Map(list.map((c) => [JSON.stringify(Object.entries(c).sort()), c]));
  return [...seen.values()];
}

/**
 * The preset's choice: weights take the fastest (`accuracy`: the most accurate), activations the fastest for
 * `performance` and the most accurate otherwise.
 */
export function chooseByPreset(
  choices: readonly QuantizerChoice[],
  group: QuantizerGroup,
  preset: Preset,
): QuantizerChoice | undefined {
  const takesFirst = group === 'weights' ? preset !== 'accuracy' : preset === 'performance';
  return takesFirst ? choices[0] : choices.at(-1);
}

/** Fills in the grid: 8 bits give 256 levels, 255 for symmetric weights, whose lowest point is left out. */
export function completeChoice(choice: QuantizerChoice, group: QuantizerGroup): QuantizerConfiguration {
  const half = 2 ** (choice.bits - 1);
  const isNarrow = group === 'weights' && choice.mode === 'symmetric';
  const levelHigh = choice.levelHigh ?? half - 1;
  const levelLow = choice.levelLow ?? (isNarrow ? 1 - half : -half);
  return {
    ...choice,
    levels: Math.abs(levelHigh) + Math.abs(levelLow) + 1,
    isSigned: choice.levelLow !== undefined && choice.levelHigh !== undefined && choice.levelLow < 0,
  };
}

/**
 * The preset as the device understands it: `accuracy` is the same as `mixed` on processors and GPUs.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID` for an unknown preset
 */
export function resolvePreset(name: string, target: TargetDescription, warn: (message: string) => void): Preset {
  const preset = presets.find((p) => p === name);
  if (!preset) {
    throw new LowpError('ERR_CONFIG_INVALID', `the preset '${name}' is not known; expected ${presets.join(', ')}`);
  }
  if (preset !== 'accuracy' || !target.mixedForAccuracy) return preset;
  warn(`the preset 'accuracy' does not exist for ${target.name}; 'mixed' is used instead`);
  return 'mixed';
}
