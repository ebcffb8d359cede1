// Fourier transforms as matrix products: of short axes, which is what networks transform.
import type { OutputPort } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Expansion } from '../expansion.ts';

/** Elements of a constant, as a matrix of cosines and sines, beyond which a transform stays on the host. */
export const mostElements = 1 << 22;

/** One transform along an axis of `size` elements, which are cut to `length` or stand in front of zeros. */
export interface AxisTransform {
  readonly size: number;
  readonly length: number;
  /** Complex numbers are pairs; `toReal` reads the first length/2 + 1 bins of a spectrum of real numbers. */
  readonly form: 'complex' | 'fromReal' | 'toReal';
  readonly inverse: boolean;
  /** Bins that are computed. */
  readonly bins: number;
}

/** Whether a matrix for the transform is small enough. */
export function hasMatrix({ size, bins }: Pick<AxisTransform, 'size' | 'bins'>): boolean {
  return 4 * size * bins <= mostElements;
}

/**
 * The matrix M with `y = x · M`, row-major: rows are elements of x, columns those of y, pairs side by side.
 *
 * @param factors  factors of the elements of x, 1 when absent
 */
export function fourierMatrix(t: AxisTransform, factors?: ArrayLike<number>): Float32Array {
  const [from, to] = [t.form === 'fromReal' ? 1 : 2, t.form === 'toReal' ? 1 : 2];
  const matrix = new Float32Array(t.size * from * t.bins * to);
  const width = t.bins * to;
  const angle = ((t.inverse ? 2 : -2) * Math.PI) / t.length;
  const used = Math.min(t.size, t.form === 'toReal' ? Math.floor(t.length / 2) + 1 : t.length);
  for (let n = 0; n < used; n++) {
    // A bin of a real spectrum stands for its mirror image too.
    const isMirrored = t.form === 'toReal' && n > 0 && 2 * n !== t.length;
    const scale = ((isMirrored ? 2 : 1) * (factors ? factors[n]! : 1)) / (t.inverse ? t.length : 1);
    for (let k = 0; k < t.bins; k++) {
      const turn = angle * ((n * k) % t.length);
      const [c, s] = [Math.cos(turn) * scale, Math.sin(turn) * scale];
      const at = n * from * width + k * to;
      matrix[at] = c;
      if (to === 2) matrix[at + 1] = s;
      if (from === 2) matrix[at + width] = -s;
      if (from === 2 && to === 2) matrix[at + width + 1] = c;
    }
  }
  return matrix;
}

/** The transform along one axis of `x`, whose last axis holds the pairs when its numbers are complex. */
export function expandAxis(e: Expansion, x: OutputPort, axis: number, t: AxisTransform, name: string): OutputPort {
  const [isPair, isPairAfter] = [t.form !== 'fromReal', t.form !== 'toReal'];
  const { shape } = x.fact;
  const rank = isPair ? shape.length - 1 : shape.length;
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);
  const order = [...others, axis];
  const moved = e.transpose(x, isPair ? [...order, rank] : order, `${name}/last`);
  const columns = t.bins * (isPairAfter ? 2 : 1);
  const kept = others.map((i) => shape[i]!);
  const rows = e.reshape(moved, [elementCount(kept), t.size * (isPair ? 2 : 1)], `${name}/rows`);
  const matrix = e.tensor(
    { type: 'f32', shape: [t.size * (isPair ? 2 : 1), columns], data: fourierMatrix(t) },
    `${name}/matrix`,
  );
  const product = e.add('MatMul', [rows, matrix], { transpose_a: false, transpose_b: false }, `${name}/product`);
  const spectrum = e.reshape(product, [...kept, t.bins, ...(isPairAfter ? [2] : [])], `${name}/spectrum`);
  const back = Array.from({ length: rank }, (_, i) => order.indexOf(i));
  return e.transpose(spectrum, isPairAfter ? [...back, rank] : back, `${name}/back`);
}
