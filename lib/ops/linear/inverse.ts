// Inverse: matrices that undo others.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { bool } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { inputFact, mergeSizes, requireRank } from '../fact.ts';

/** Gauss-Jordan elimination with the largest pivot of each column; the matrix is used up. */
function inverted(m: Float64Array, n: number): Float64Array {
  const out = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  const both = [m, out];
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r * n + c]!) > Math.abs(m[pivot * n + c]!)) pivot = r;
    const value = m[pivot * n + c]!;
    if (value === 0) throw new LowpError('ERR_OP_INPUTS', 'a matrix has no inverse');
    for (const t of both) {
      for (let i = 0; i < n; i++) {
        const [a, b] = [t[c * n + i]!, t[pivot * n + i]!];
        t[pivot * n + i] = a;
        t[c * n + i] = b / value;
      }
    }
    for (let r = 0; r < n; r++) {
      const factor = m[r * n + c]!;
      if (r === c || factor === 0) continue;
      for (const t of both) for (let i = 0; i < n; i++) t[r * n + i]! -= factor * t[c * n + i]!;
    }
  }
  return out;
}

/**
 * The inverse of every matrix of the two last axes; adjugate matrices (`adjoint`) are refused.
 *
 * @throws {LowpError} `ERR_OP_INPUTS` for a matrix without inverse, `ERR_OP_UNSUPPORTED`
 */
export const inverse = defineOp({
  type: 'Inverse',
  opset: 'opset14',
  attributes: z.object({ adjoint: bool.default(false) }),
  inputs: [1, 1],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    requireRank(shape, 2, Number.POSITIVE_INFINITY);
    mergeSizes(shape.at(-1)!, shape.at(-2)!, 'rows and columns');
    return [{ type, shape }];
  },
  evaluate: (a, [x]) => {
    if (a.adjoint) throw new LowpError('ERR_OP_UNSUPPORTED', 'adjugate matrices are not supported');
    const n = x!.shape.at(-1)!;
    const values = toFloat64(x!);
    const out = new Float64Array(values.length);
    for (let at = 0; at < values.length; at += n * n) out.set(inverted(values.slice(at, at + n * n), n), at);
    return [fromFloat64(out, x!.shape, x!.type)];
  },
});
