// MatMul: matrix products over the two last axes.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { broadcastShapes, formatShape, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool } from '../attribute.ts';
import { expandedStrides, stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, inputFact, mergeSizes, requireRank } from '../fact.ts';
import { lowerMatMul, matMulRuntime } from './lower.ts';

const attributes = z.object({ transpose_a: bool.default(false), transpose_b: bool.default(false) });

type Attributes = z.infer<typeof attributes>;

/** The operands as stacks of matrices `[batch…, rows, inner]` and `[batch…, inner, columns]`. */
interface Product {
  readonly batchA: Shape;
  readonly batchB: Shape;
  readonly batch: number[];
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly shape: number[];
}

function productOf(a: Attributes, x: Shape, y: Shape): Product {
  requireRank(x, 1, Number.POSITIVE_INFINITY, 'input 0');
  requireRank(y, 1, Number.POSITIVE_INFINITY, 'input 1');
  const left = x.length === 1 ? [1, x[0]!] : x.slice(-2);
  const right = y.length === 1 ? [y[0]!, 1] : y.slice(-2);
  if (a.transpose_a && x.length > 1) left.reverse();
  if (a.transpose_b && y.length > 1) right.reverse();
  if (left[1]! >= 0 && right[0]! >= 0 && left[1] !== right[0]) {
    const spelled = `${formatShape(x)}${a.transpose_a ? 'ᵀ' : ''} and ${formatShape(y)}${a.transpose_b ? 'ᵀ' : ''}`;
    throw new LowpError(
      'ERR_SHAPE_MISMATCH',
      `matrices ${spelled} do not fit: ${left[1]} and ${right[0]} inner elements`,
    );
  }
  const inner = mergeSizes(left[1]!, right[0]!, 'inner elements');
  const [batchA, batchB] = [x.slice(0, -2), y.slice(0, -2)];
  const batch = broadcastShapes(batchA, batchB);
  const shape = [...batch, ...(x.length === 1 ? [] : [left[0]!]), ...(y.length === 1 ? [] : [right[1]!])];
  return { batchA, batchB, batch, rows: left[0]!, inner, columns: right[1]!, shape };
}

function infer(a: Attributes, inputs: Facts) {
  const [x, y] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  return [{ type: commonType(x, y), shape: productOf(a, x.shape, y.shape).shape }];
}

/** A matrix of `rows × columns` at `from`, stored transposed, as `columns × rows` at 0. */
function transposed(values: Float64Array, from: number, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[from + r * columns + c]!;
  return out;
}

function multiply(a: Attributes, x: Tensor, y: Tensor): Tensor {
  const p = productOf(a, x.shape, y.shape);
  const [left, right] = [toFloat64(x), toFloat64(y)];
  const atA = stridedOffsets(p.batch, expandedStrides(p.batchA, p.batch));
  const atB = stridedOffsets(p.batch, expandedStrides(p.batchB, p.batch));
  const out = new Float64Array(atA.length * p.rows * p.columns);
  for (let n = 0; n < atA.length; n++) {
    const fromA = atA[n]! * p.rows * p.inner;
    const fromB = atB[n]! * p.inner * p.columns;
    const rows = a.transpose_a && x.shape.length > 1 ? transposed(left, fromA, p.inner, p.rows) : left.subarray(fromA);
    const columns =
      a.transpose_b && y.shape.length > 1 ? right.subarray(fromB) : transposed(right, fromB, p.inner, p.columns);
    for (let i = 0; i < p.rows; i++) {
      for (let j = 0; j < p.columns; j++) {
        let sum = 0;
        for (let k = 0, u = i * p.inner, v = j * p.inner; k < p.inner; k++) sum += rows[u++]! * columns[v++]!;
        out[(n * p.rows + i) * p.columns + j] = sum;
      }
    }
  }
  return fromFloat64(out, p.shape, x.type);
}

/**
 * `y = A · B` over the two last axes, each first transposed when its flag says so; leading axes broadcast as in numpy.
 * A vector on the left is a row, on the right a column; its axis is missing in the output.
 */
export const matMul = defineOp({
  type: 'MatMul',
  opset: 'opset1',
  attributes,
  inputs: [2, 2],
  infer,
  evaluate: (a, [x, y]) => [multiply(a, x!, y!)],
  lower: lowerMatMul,
  runtime: matMulRuntime,
  bytesModes: ['product', 'multiply'],
  quantization: {
    quantizedPorts: [0, 1],
    weights: { port: 1, outputChannelAxis: (a: Attributes, w) => Math.max(0, w.length - (a.transpose_b ? 2 : 1)) },
    biasAxis: -1,
  },
});
