// Quantiles of one value: the only statistic that needs the value itself.
import type { Granularity } from '../targets/target.ts';
import { toFloat32 } from '../tensor/convert.ts';
import { normalizeAxis, stridesOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { quantile } from './aggregators.ts';

/** The `share` quantile of a value (of its magnitudes with `isAbsolute`): of all elements, or for each index of an axis. */
export function quantilesOf(
  value: Tensor,
  how: {
    readonly share: number;
    readonly isAbsolute: boolean;
    readonly granularity: Granularity;
    readonly channelAxis?: number;
  },
): Float32Array {
  const data = toFloat32(value);
  const magnitude = (v: number): number => (how.isAbsolute ? Math.abs(v) : v);
  if (how.granularity === 'perTensor') return Float32Array.of(quantile(data.map(magnitude).sort(), how.share));
  const axis = normalizeAxis(how.channelAxis ?? 1, value.shape.length);
  const channels = value.shape[axis]!;
  const stride = stridesOf(value.shape)[axis]!;
  const each = Array.from({ length: channels }, () => new Float32Array(data.length / Math.max(1, channels)));
  const filled = new Int32Array(channels);
  for (let i = 0; i < data.length; i++) {
    const c = Math.floor(i / stride) % channels;
    each[c]![filled[c]!++] = magnitude(data[i]!);
  }
  return Float32Array.from(each, (values) => quantile(values.sort(), how.share));
}

/** True when some element is NaN or infinite. */
export function isNotFinite(value: Tensor): boolean {
  const data = toFloat32(value);
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) return true;
  return false;
}
