// Which configuration each quantizer gets: the device's choices, what consumers agree on, and the preset.
import { LowpError } from '../errors/lowp-error.ts';
import type { QuantizerChoice, TargetDescription } from '../targets/target.ts';

/** `performance`: symmetric activations. `mixed`: asymmetric ones, a little slower and more accurate. */
export type Preset = 'performance' | 'mixed' | 'accuracy';

export const presets = ['performance', 'mixed', 'accuracy'] as const satisfies readonly Preset[];

/** What a quantizer is for: constants that operations compute with, values in front of their readers, values behind their producer. */
export type QuantizerGroup = 'weights' | 'activations' | 'outputs';

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

/**
 * The choices that have every pinned value. When the device offers none, the pinned values are taken over its fastest
 * choice, and `warn` is told.
 */
export function pinChoices(
  choices: readonly QuantizerChoice[],
  pinned: PinnedChoice = {},
  warn: (message: string) => void = () => undefined,
): readonly QuantizerChoice[] {
  const keys = pinnedKeys.filter((key) => pinned[key] !== undefined);
  if (keys.length === 0) return choices;
  const kept = choices.filter((choice) => keys.every((key) => choice[key] === pinned[key]));
  const first = choices[0];
  if (kept.length > 0 || !first) return kept;
  warn(
    `the device has no configuration with ${keys.map((key) => `${key} ${pinned[key]}`).join(', ')}; it is used all the same`,
  );
  return [{ ...first, ...pinned }];
}

/**
 * What all consumers of a quantizer accept, in the order of the first one.
 *
 * Choices agree when mode and granularity are equal; the bits are `primaryBits` when one of them has it, else the smaller
 * number. Every choice meets the next agreeing one of the other list, so that 8, 4, 8 bits and 8, 4, 8 bits give 8, 4, 8.
 * When nothing agrees, weaker forms (per channel → per tensor, asymmetric → symmetric) are offered in front.
 */
export function intersectChoices(
  lists: readonly (readonly QuantizerChoice[])[],
  primaryBits?: number,
): readonly QuantizerChoice[] {
  return lists.slice(1).reduce<readonly QuantizerChoice[]>((a, b) => {
    const common = agree(a, b, primaryBits);
    return common.length > 0 ? common : agree(withWeaker(a), withWeaker(b), primaryBits);
  }, lists[0] ?? []);
}

function agree(
  a: readonly QuantizerChoice[],
  b: readonly QuantizerChoice[],
  primaryBits: number | undefined,
): QuantizerChoice[] {
  const both: QuantizerChoice[] = [];
  let from = 0;
  for (const x of a) {
    const at = b.findIndex((y, i) => i >= from && y.mode === x.mode && y.granularity === x.granularity);
    if (at < 0) continue;
    from = at;
    both.push(narrower(x, b[at]!, primaryBits));
  }
  return both;
}

function narrower(x: QuantizerChoice, y: QuantizerChoice, primaryBits: number | undefined): QuantizerChoice {
  if (x.bits === primaryBits) return x;
  if (y.bits === primaryBits) return y;
  return x.bits <= y.bits ? x : y;
}

/** The list with the weaker forms of each choice in front of it; what is there already keeps its place. */
function withWeaker(list: readonly QuantizerChoice[]): QuantizerChoice[] {
  const extended: QuantizerChoice[] = [];
  const keys = new Set<string>();
  const offer = (choice: QuantizerChoice): void => {
    const key = JSON.stringify(Object.entries(choice).sort());
    if (!keys.has(key)) extended.unshift(choice);
    keys.add(key);
  };
  for (const choice of list.toReversed()) {
    const perTensor = { ...choice, granularity: 'perTensor' as const };
    offer(choice);
    offer(perTensor);
    offer({ ...choice, mode: 'symmetric' });
    offer({ ...perTensor, mode: 'symmetric' });
  }
  return extended;
}

/**
 * The preset's choice: weights take the fastest (`accuracy`: the most accurate), activations and outputs the fastest
 * for `performance` and the most accurate otherwise.
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
