// Numbers of a product's epilogue: what kernels multiply, add and clamp with, from scales, zero points and fused steps.
import { invariant } from '../errors/assert.ts';
import type { QuantFormat, Rounding } from '../ops/lower-context.ts';
import { boundsOf, clampedGrid, type Limits, noLimits, roundingOf } from '../ops/quantization/grid.ts';
import type { ChainStep } from './fuse-post-ops.ts';

/** Scale of the integer accumulators and how the residual is stored. */
export interface EpilogueInput {
  readonly channels: number;
  /** Real value of one unit of the accumulator, per channel; absent for float products. */
  readonly accumulatorScale?: Float64Array;
  /** Real value of an accumulator of 0, per channel; 0 when absent. */
  readonly accumulatorBias?: Float64Array;
  readonly steps: readonly ChainStep[];
  /** Format of the fused residual when it is stored as bytes. */
  readonly residual?: QuantFormat;
}

/** Operands and params of the epilogue contract of convolution, depthwise and matmul. */
export interface Epilogue {
  readonly bias?: Float32Array;
  readonly scale?: Float32Array;
  /** Lows, then highs, of the stored bytes; absent when they are 0 and 255. */
  readonly bounds?: Uint8Array;
  readonly params: {
    readonly mid: number;
    readonly midScale: number;
    readonly midBias: number;
    readonly midLow: number;
    readonly midHigh: number;
    readonly residualScale: number;
    readonly low: number;
    readonly high: number;
  };
}

interface Steps {
  readonly bias: Float32Array | undefined;
  readonly mid: QuantFormat | undefined;
  readonly midClamp: Limits;
  readonly add: boolean;
  readonly clamp: Limits;
  readonly store: QuantFormat | undefined;
}

/**
 * With accumulator scale `a`, bias `b`, rounding in front of the sum to scale `m` and zero `zm`, residual scale `r` and
 * zero `zr`, stored scale `s` and zero `zs` (floats are stored with s = 1, zs = 0); the residual's are those of what its
 * bytes stand for, the stored ones those of what rounds to them, and a mid has both:
 *
 * without mid: `v = acc · a/s + (b/s + zs − zr · r/s)`, then `v += residual · r/s`;
 * with mid: `v = acc · a/m + (b/m + zm)`, rounded and clamped, then `v = v · m/s + (zs − zm · m/s − zr · r/s)`,
 * then `v += residual · r/s`.
 */
export function epilogueOf(input: EpilogueInput): Epilogue {
  const steps = sortSteps(input.steps);
  const { channels, accumulatorScale: a } = input;
  const store = steps.store;
  const scaleOf = (format: Rounding | undefined, c: number): number =>
    format ? (format.scale[format.scale.length === 1 ? 0 : c] ?? 1) : 1;
  const zeroOf = (format: Rounding | undefined, c: number): number =>
    format ? (format.zero[format.zero.length === 1 ? 0 : c] ?? 0) : 0;
  const storing = store && roundingOf(store);
  invariant(a !== undefined || (!store && !steps.mid && !input.residual), 'float products store floats');
  if (!a) return floatEpilogue(steps);
  const residualScale = steps.add ? scaleOf(input.residual, 0) / scaleOf(storing, 0) : 0;
  const residualZero = steps.add ? zeroOf(input.residual, 0) * residualScale : 0;
  const bias = new Float32Array(channels);
  const scale = new Float32Array(channels);
  const first = steps.mid ? roundingOf(steps.mid) : storing;
  for (let c = 0; c < channels; c++) {
    const unit = scaleOf(first, c);
    scale[c] = a[c]! / unit;
    bias[c] =
      ((steps.bias?.[c] ?? 0) + (input.accumulatorBias?.[c] ?? 0)) / unit +
      zeroOf(first, c) -
      (steps.mid ? 0 : residualZero);
  }
  const midScale = steps.mid ? scaleOf(steps.mid, 0) / scaleOf(storing, 0) : 0;
  const mid = steps.mid ? clampedGrid(steps.mid, steps.midClamp, 0) : [0, 0];
  const bounds = store && boundsOf(store, steps.clamp, channels);
  return {
    ...(steps.bias || bias.some((b) => b !== 0) ? { bias } : {}),
    scale,
    ...(bounds ? { bounds } : {}),
    params: {
      mid: steps.mid ? 1 : 0,
      midScale,
      midBias: steps.mid ? zeroOf(storing, 0) - zeroOf(steps.mid, 0) * midScale - residualZero : 0,
      midLow: mid[0]!,
      midHigh: mid[1]!,
      residualScale,
      ...(store ? noLimits : { low: steps.clamp.low, high: steps.clamp.high }),
    },
  };
}

/** `v = acc + bias`, then `v += residual`, clamped. */
function floatEpilogue({ bias, add, clamp }: Steps): Epilogue {
  return {
    ...(bias ? { bias } : {}),
    params: {
      mid: 0,
      midScale: 0,
      midBias: 0,
      midLow: 0,
      midHigh: 0,
      residualScale: add ? 1 : 0,
      low: clamp.low,
      high: clamp.high,
    },
  };
}

function sortSteps(steps: readonly ChainStep[]): Steps {
  const addAt = steps.findIndex((s) => s.kind === 'add');
  const before = addAt < 0 ? [] : steps.slice(0, addAt);
  const after = addAt < 0 ? steps : steps.slice(addAt + 1);
  const find = <K extends ChainStep['kind']>(list: readonly ChainStep[], kind: K) =>
    list.find((s): s is Extract<ChainStep, { kind: K }> => s.kind === kind);
  return {
    bias: find(steps, 'bias')?.values,
    mid: find(before, 'quantize')?.format,
    midClamp: find(before, 'clamp') ?? noLimits,
    add: addAt >= 0,
    clamp: find(after, 'clamp') ?? noLimits,
    store: find(after, 'quantize')?.format,
  };
}
