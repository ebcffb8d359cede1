// The sums of a convolution and of its transpose, in doubles.
import type { Channels, Taps } from './geometry.ts';

/**
 * `y[n, g, o, p] = Σ_c Σ_k w[g, o, c, k] · x[n, g, c, p · stride − pad + k · dilation]`, taps in the padding left out.
 *
 * @param x  `[batch, groups, inputs, far…]`
 * @param w  `[groups, outputs, inputs, kernel…]`
 * @returns  `[batch, groups, outputs, near…]`
 */
export function correlate(x: Float64Array, w: Float64Array, c: Channels, t: Taps): Float64Array {
  const near = t.near[0] * t.near[1] * t.near[2];
  const far = t.far[0] * t.far[1] * t.far[2];
  const area = t.kernel[0] * t.kernel[1] * t.kernel[2];
  const y = new Float64Array(c.batch * c.groups * c.outputs * near);
  for (let n = 0; n < c.batch; n++) {
    for (let g = 0; g < c.groups; g++) {
      for (let o = 0; o < c.outputs; o++) {
        const to = ((n * c.groups + g) * c.outputs + o) * near;
        for (let i = 0; i < c.inputs; i++) {
          const from = ((n * c.groups + g) * c.inputs + i) * far;
          addTaps(y, to, x, from, w, ((g * c.outputs + o) * c.inputs + i) * area, t);
        }
      }
    }
  }
  return y;
}

/** One plane of outputs += one plane of inputs under one kernel. */
function addTaps(
  y: Float64Array,
  to: number,
  x: Float64Array,
  from: number,
  w: Float64Array,
  tap: number,
  t: Taps,
): void {
  const [depth, rows, columns] = t.taps;
  const [sd, sh, sw] = t.stride;
  for (const d of depth) {
    for (const r of rows) {
      for (const q of columns) {
        const weight = w[tap++]!;
        for (let od = d.from, id = d.start; od < d.to; od++, id += sd) {
          for (let oh = r.from, ih = r.start; oh < r.to; oh++, ih += sh) {
            const outRow = to + (od * t.near[1] + oh) * t.near[2];
            const end = outRow + q.to;
            let at = from + (id * t.far[1] + ih) * t.far[2] + q.start;
            for (let out = outRow + q.from; out < end; out++) {
              y[out]! += weight * x[at]!;
              at += sw;
            }
          }
        }
      }
    }
  }
}

/**
 * `y[n, g, o, i · stride − pad + k · dilation] += w[g, c, o, k] · x[n, g, c, i]`: the transpose of {@link correlate}.
 *
 * @param x  `[batch, groups, inputs, near…]`
 * @param w  `[groups, inputs, outputs, kernel…]`
 * @returns  `[batch, groups, outputs, far…]`
 */
export function scatter(x: Float64Array, w: Float64Array, c: Channels, t: Taps): Float64Array {
  const near = t.near[0] * t.near[1] * t.near[2];
  const far = t.far[0] * t.far[1] * t.far[2];
  const area = t.kernel[0] * t.kernel[1] * t.kernel[2];
  const y = new Float64Array(c.batch * c.groups * c.outputs * far);
  for (let n = 0; n < c.batch; n++) {
    for (let g = 0; g < c.groups; g++) {
      for (let o = 0; o < c.outputs; o++) {
        const to = ((n * c.groups + g) * c.outputs + o) * far;
        for (let i = 0; i < c.inputs; i++) {
          const from = ((n * c.groups + g) * c.inputs + i) * near;
          spreadTaps(y, to, x, from, w, ((g * c.inputs + i) * c.outputs + o) * area, t);
        }
      }
    }
  }
  return y;
}

function spreadTaps(
  y: Float64Array,
  to: number,
  x: Float64Array,
  from: number,
  w: Float64Array,
  tap: number,
  t: Taps,
): void {
  const [depth, rows, columns] = t.taps;
  const [sd, sh, sw] = t.stride;
  for (const d of depth) {
    for (const r of rows) {
      for (const q of columns) {
        const weight = w[tap++]!;
        for (let id = d.from, od = d.start; id < d.to; id++, od += sd) {
          for (let ih = r.from, oh = r.start; ih < r.to; ih++, oh += sh) {
            const inRow = from + (id * t.near[1] + ih) * t.near[2];
            const end = inRow + q.to;
            let out = to + (od * t.far[1] + oh) * t.far[2] + q.start;
            for (let at = inRow + q.from; at < end; at++) {
              y[out]! += weight * x[at]!;
              out += sw;
            }
          }
        }
      }
    }
  }
}
