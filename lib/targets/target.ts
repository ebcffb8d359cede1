// What a device can quantize, as data: propagation and configuration read it and know no device by name.

export type Mode = 'symmetric' | 'asymmetric';
export type Granularity = 'perTensor' | 'perChannel';

/** One way to quantize a value. */
export interface QuantizerChoice {
  readonly bits: number;
  readonly mode: Mode;
  readonly granularity: Granularity;
  /** Ends of the integer grid when they differ from the default for the number of bits. */
  readonly levelLow?: number;
  readonly levelHigh?: number;
  /** All channels share one zero point. */
  readonly unifiedZeroPoint?: boolean;
}

/** What the device does with some operation types. Choices go from fastest to most accurate. */
export interface OperationRow {
  /** Operation types, or the virtual types that an operation's `hardwareType` trait names. */
  readonly types: readonly string[];
  readonly activations?: readonly QuantizerChoice[];
  readonly weights?: readonly QuantizerChoice[];
  /** The device rounds what the operation computes, behind its bias when it has one. */
  readonly outputs?: readonly QuantizerChoice[];
  /**
   * How strongly the outputs decide against readers of the value, which have 1, or 2 for `inputPriorityTypes`: the higher
   * one wins, the outputs among equals. Default 0.
   */
  readonly outputPriority?: 0 | 1;
  /** The operation only moves or selects values: it keeps the format of its input and never asks for a quantizer. */
  readonly agnostic?: boolean;
  /** All quantized inputs share one range, or the listed groups of ports do. */
  readonly unify?: 'all' | readonly (readonly number[])[];
}

/** Sub-graphs that stay in floating point on some devices; their shapes are in `quantization/ignored-patterns.ts`. */
export type DevicePattern =
  | 'fusedScaleShift'
  | 'fusedEltwise'
  | 'clampMultiply'
  | 'selfAttentionGather'
  | 'selfAttention'
  | 'assignResult';

/** A device, as data. */
export interface TargetDescription {
  readonly name: string;
  /** One sentence for people. */
  readonly summary: string;
  /** The number of bits that wins when consumers of one value disagree; by default the smaller one. */
  readonly primaryBits?: number;
  readonly operations: readonly OperationRow[];
  readonly ignoredPatterns: readonly DevicePattern[];
  /** Activations of a product of two activations are always symmetric when the model is a transformer. */
  readonly symmetricProducts: boolean;
  /** Operation types that stay in floating point when the model is declared a transformer. */
  readonly transformerIgnoredTypes: readonly string[];
  /** The preset `accuracy` means `mixed` here. */
  readonly mixedForAccuracy: boolean;
  /** Older processors of this kind add pairs of byte products in 16 bits, so weights may have to be halved. */
  readonly mayOverflow: boolean;
  /** Operation types whose inputs decide a format before the output that they read. */
  readonly inputPriorityTypes?: readonly string[];
  /** A sum reads one of its two inputs in floating point: it is added inside the product that computes it. */
  readonly fusesSums?: boolean;
  /** The largest sum that its accumulator holds, when products of its widest types may exceed it. */
  readonly largestSum?: number;
  /** Set when the target is known but cannot be quantized for; says why. */
  readonly unsupported?: string;
}

/** The row of a type, undefined when the device leaves it in floating point. */
export function rowOf(target: TargetDescription, hardwareType: string): OperationRow | undefined {
  return target.operations.find((row) => row.types.includes(hardwareType));
}

/** Every combination of the listed fields, in the order in which they vary: the first field slowest. */
export function choices(
  bits: readonly number[],
  modes: readonly Mode[],
  granularity: Granularity,
  rest: Omit<QuantizerChoice, 'bits' | 'mode' | 'granularity'> = {},
): QuantizerChoice[] {
  return bits.flatMap((b) => modes.map((mode) => ({ bits: b, mode, granularity, ...rest })));
}
