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
 * The byte format of a FakeQuantize: `scale = (high − low) / (levels − 1)`, `zero = −low / scale` on the grid
 * [0, levels − 1].
 *
 * Refused with a reason: more than 256 levels, limits that are not constant, different input and output limits,
 * channels elsewhere than on axis 1, a zero that is not on the grid.
 */
export function formatOfFakeQuantize(node: Node): FormatOrReason {
  const levels = Number(node.attributes.levels);
  if (levels > 256) return { reason: `it has ${levels} levels, bytes hold 256` };
  const limits = [1, 2, 3, 4].map((i) => constantOf(node.source(i)));
  if (limits.some((l) => l === undefined)) return { reason: 'its limits are not constant' };
  const [inputLow, inputHigh, outputLow, outputHigh] = limits as [Tensor, Tensor, Tensor, Tensor];
  const shape = node.source(0)!.fact.shape;
  const low = perChannel(inputLow, shape);
  const high = perChannel(inputHigh, shape);
  const outLow = perChannel(outputLow, shape);
  const outHigh = perChannel(outputHigh, shape);
  if (!low || !high || !outLow || !outHigh) return { reason: 'its limits vary along another axis than the channels' };
  const channels = Math.max(low.length, high.length, outLow.length, outHigh.length);
  const scale = new Float32Array(channels);
  const zeros = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const [l, h] = [at(low, c), at(high, c)];
    const step = (h - l) / (levels - 1);
    const zero = -l / step;
    if (!(step > 0) || !Number.isFinite(step)) return { reason: `its limits ${l} and ${h} leave no range` };
    if (Math.abs(l - at(outLow, c)) > 1e-6 * (h - l) || Math.abs(h - at(outHigh, c)) > 1e-6 * (h - l)) {
      return { reason: 'its input and output limits differ' };
    }
    const nearest = Math.round(zero);
    const beside = Math.abs(zero - nearest);
    if (beside > gridTolerance || nearest < 0 || nearest > levels - 1)
      return { reason: `zero is not on its grid (zero point ${zero.toFixed(2)})` };
    scale[c] = step;
    zeros[c] = beside < noise ? nearest + 0 : zero;
  }
  const zeroPoint = Uint8Array.from(zeros, Math.round);
  return { format: { scale, zero: zeros, zeroPoint, low: 0, high: levels - 1 } };
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
