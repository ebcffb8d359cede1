// Byte formats of activations: from FakeQuantize nodes, and through operations that only move values.
import { constantOf, type Node } from '../graph/node.ts';
import type { QuantFormat } from '../ops/lower-context.ts';
import { gridTolerance } from '../ops/quantization/grid.ts';
import { toFloat32 } from '../tensor/convert.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A format, or why a FakeQuantize cannot be stored as bytes. */
export type FormatOrReason = { readonly format: QuantFormat } | { readonly reason: string };

/** Distance from an integer, in steps of the grid, that comes from limits in single precision: it counts as none. */
const noise = 1e-4;

/**
 * The byte format of a FakeQuantize. It rounds with `scale = (high − low) / (levels − 1)`, `zero = −low / scale` of its
 * input limits; its bytes on [0, levels − 1] stand for reals with scale and zero of its output limits.
 *
 * Refused with a reason: more than 256 levels, limits that are not constant or leave no range, channels elsewhere than on
 * axis 1, a zero of the output limits that is not on the grid.
 */
export function formatOfFakeQuantize(node: Node): FormatOrReason {
  const levels = Number(node.attributes.levels);
  if (levels > 256) return { reason: `it has ${levels} levels, bytes hold 256` };
  const limits = [1, 2, 3, 4].map((i) => constantOf(node.source(i)));
  if (limits.some((l) => l === undefined)) return { reason: 'its limits are not constant' };
  const shape = node.source(0)!.fact.shape;
  const values = limits.map((l) => perChannel(l!, shape));
  if (values.some((v) => v === undefined)) return { reason: 'its limits vary along another axis than the channels' };
  const [low, high, outLow, outHigh] = values as [Float32Array, Float32Array, Float32Array, Float32Array];
  const channels = Math.max(...values.map((v) => v!.length));
  const rounding = { scale: new Float32Array(channels), zero: new Float32Array(channels) };
  const meaning = { scale: new Float32Array(channels), zero: new Float32Array(channels) };
  let differ = false;
  for (let c = 0; c < channels; c++) {
    const [l, h] = [at(low, c), at(high, c)];
    const isSame = !(Math.abs(l - at(outLow, c)) > 1e-6 * (h - l) || Math.abs(h - at(outHigh, c)) > 1e-6 * (h - l));
    differ ||= !isSame;
    const [outL, outH] = isSame ? [l, h] : [at(outLow, c), at(outHigh, c)];
    const [step, outStep] = [(h - l) / (levels - 1), (outH - outL) / (levels - 1)];
    if (!isStep(step)) return { reason: `its limits ${l} and ${h} leave no range` };
    if (!isStep(outStep)) return { reason: `its limits ${outL} and ${outH} leave no range` };
    const zero = -outL / outStep;
    const nearest = Math.round(zero);
    if (Math.abs(zero - nearest) > gridTolerance || nearest < 0 || nearest > levels - 1)
      return { reason: `zero is not on its grid (zero point ${zero.toFixed(2)})` };
    rounding.scale[c] = step;
    rounding.zero[c] = nearNumber(-l / step);
    meaning.scale[c] = outStep;
    meaning.zero[c] = nearNumber(zero);
  }
  const zeroPoint = Uint8Array.from(meaning.zero, Math.round);
  return { format: { ...meaning, zeroPoint, low: 0, high: levels - 1, ...(differ ? { rounding } : {}) } };
}

function isStep(step: number): boolean {
  return step > 0 && Number.isFinite(step);
}

/** The number, or the whole one that it stands for in single precision. */
function nearNumber(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < noise ? nearest + 0 : value;
}

function at(values: Float32Array, channel: number): number {
  return values.length === 1 ? values[0]! : values[channel]!;
}

/** One value, or one for each index of axis 1 of a tensor of `shape`; undefined for any other arrangement. */
function perChannel(limit: Tensor, shape: Shape): Float32Array | undefined {
  const values = toFloat32(limit);
  if (values.length === 1) return values;
  const padded = [...new Array<number>(shape.length - limit.shape.length).fill(1), ...limit.shape];
  return padded.every((d, i) => (i === 1 ? d === shape[1] : d === 1)) ? values : undefined;
}

/** One scale for each index of axis 1. */
export function isPerChannel(format: QuantFormat): boolean {
  return format.scale.length > 1;
}

/** Equal to the last bit, so that bytes of one mean the same under the other. */
export function sameFormat(a: QuantFormat, b: QuantFormat): boolean {
  return (
    a.low === b.low &&
    a.high === b.high &&
    a.scale.length === b.scale.length &&
    a.scale.every((s, i) => s === b.scale[i]) &&
    a.zero.every((z, i) => z === b.zero[i])
  );
}

/** The format of values side by side along the channels, which keep their scales; their grids have the same ends. */
export function joinedFormat(
  parts: readonly { readonly format: QuantFormat; readonly channels: number }[],
): QuantFormat {
  const { format } = parts[0]!;
  if (parts.every((part) => sameFormat(part.format, format)) && !isPerChannel(format)) return format;
  const total = parts.reduce((sum, part) => sum + part.channels, 0);
  const scale = new Float32Array(total);
  const zero = new Float32Array(total);
  let c = 0;
  for (const { format, channels } of parts) {
    for (let i = 0; i < channels; i++, c++) {
      scale[c] = at(format.scale, i);
      zero[c] = at(format.zero, i);
    }
  }
  return { scale, zero, zeroPoint: Uint8Array.from(zero, Math.round), low: format.low, high: format.high };
}
