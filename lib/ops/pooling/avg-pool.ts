// AvgPool: the mean of the elements under a window.
import type * as z from 'zod';
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { isFloat } from '../../tensor/element-type.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bool } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { roundHalfToEven } from '../rounding.ts';
import type { Window } from '../window.ts';
import { fitsKernels } from '../window-geometry.ts';
import { lowerPool } from './lower.ts';
import { poolAttributes, poolAxes, poolWindow } from './pool-attributes.ts';

const attributes = poolAttributes.extend({ 'exclude-pad': bool.default(false) });

type Attributes = z.infer<typeof attributes>;

function infer(a: Attributes, inputs: Facts) {
  const x = inputFact(inputs, 0);
  return [{ type: x.type, shape: [...x.shape.slice(0, 2), ...poolWindow(a, x.shape).output] }];
}

/**
 * The divisor along one axis: positions inside the input, or inside input and padding. Without any padding a window that
 * `ceil` rounding pushes over the edge counts its elements inside only. At least 1, so that an empty window gives 0.
 */
function divisors(a: Attributes, w: Window, axis: number): number[] {
  const i = axis - (3 - w.input.length);
  if (i < 0) return [1];
  const padded = !a['exclude-pad'] && [...w.padsBegin, ...w.padsEnd].some((p) => p > 0);
  return Array.from({ length: w.output[i]! }, (_, o) => {
    const first = o * w.strides[i]! - w.padsBegin[i]!;
    const end = Math.min(first + w.kernel[i]!, w.input[i]! + (padded ? w.padsEnd[i]! : 0));
    return Math.max(1, end - (padded ? first : Math.max(first, 0)));
  });
}

function average(a: Attributes, x: Tensor): Tensor {
  const { shape } = infer(a, [x])[0]!;
  const window = poolWindow(a, x.shape);
  const { input, output, inside } = poolAxes(window);
  const [byDepth, byRow, byColumn] = [divisors(a, window, 0), divisors(a, window, 1), divisors(a, window, 2)];
  const data = toFloat64(x);
  const values = new Float64Array(elementCount(shape));
  const planes = x.shape[0]! * x.shape[1]!;
  let out = 0;
  for (let plane = 0; plane < planes; plane++) {
    const from = plane * input[0] * input[1] * input[2];
    for (let od = 0; od < output[0]; od++) {
      for (let oh = 0; oh < output[1]; oh++) {
        for (let ow = 0; ow < output[2]; ow++, out++) {
          let sum = 0;
          for (const d of inside[0][od]!) {
            for (const h of inside[1][oh]!) {
              const row = from + (d * input[1] + h) * input[2];
              for (const w of inside[2][ow]!) sum += data[row + w]!;
            }
          }
          values[out] = sum / (byDepth[od]! * byRow[oh]! * byColumn[ow]!);
        }
      }
    }
  }
  if (!isFloat(x.type)) for (let i = 0; i < values.length; i++) values[i] = roundHalfToEven(values[i]!);
  return fromFloat64(values, shape, x.type);
}

/** The count of a padded average keeps to the padding that the window was resolved with. */
function lowerAverage(a: Attributes, node: Node, context: LowerContext): void {
  const window = poolWindow(a, node.source(0)!.fact.shape);
  const padded = !a['exclude-pad'] && [...window.padsBegin, ...window.padsEnd].some((p) => p > 0);
  lowerPool(node, context, window, padded ? 'averagePadded' : 'averageInside');
}

/**
 * `y[n, c, p] = Σ_k x[n, c, p · stride − pad + k] / d`; `d` is the number of elements inside of x with `exclude-pad`,
 * else the part of the kernel inside of x and its padding. Integer results are rounded half to even.
 */
export const avgPool = defineOp({
  type: 'AvgPool',
  opset: 'opset1',
  attributes,
  inputs: [1, 1],
  infer,
  evaluate: (a, [x]) => [average(a, x!)],
  lower: lowerAverage,
  canLower: (a, node) => fitsKernels(poolWindow(a, node.source(0)!.fact.shape)),
  runtime: { bytes: 'combine', epilogue: 'round' },
  quantization: { quantizedPorts: [0] },
});
