// AdaptiveAvgPool and AdaptiveMaxPool: windows that divide an image into a given number of bins.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { elementType, noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers, requireRank } from '../fact.ts';

function inferShape(inputs: Facts): { type: Fact['type']; shape: number[] } {
  const { type, shape } = inputFact(inputs, 0);
  requireRank(shape, 3, 5);
  const known = knownIntegers(inputFact(inputs, 1));
  const spatial = shape.length - 2;
  if (known && known.length !== spatial) {
    throw new LowpError('ERR_OP_INPUTS', `the output has ${known.length} spatial sizes, the input ${spatial}`);
  }
  if (known?.some((d) => d < 1)) throw new LowpError('ERR_OP_INPUTS', `the output has the sizes ${known}`);
  return { type, shape: [...shape.slice(0, 2), ...(known ?? new Array<number>(spatial).fill(-1))] };
}

/** The positions of bin i of `count`: from ⌊i · size / count⌋ to ⌈(i + 1) · size / count⌉. */
function binOf(i: number, size: number, count: number): [begin: number, end: number] {
  return [Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count)];
}

/** Calls `visit` for every bin of every plane with the flat positions in it; `plane` is where the plane begins. */
function forEachBin(
  x: Shape,
  out: Shape,
  visit: (bin: number, plane: number, inside: readonly number[]) => void,
): void {
  const [input, output] = [x, out].map((s) => [...new Array<number>(5 - s.length).fill(1), ...s.slice(2)]) as [
    number[],
    number[],
  ];
  const size = elementCount(input);
  let bin = 0;
  for (let plane = 0; plane < x[0]! * x[1]!; plane++) {
    for (let d = 0; d < output[0]!; d++) {
      for (let h = 0; h < output[1]!; h++) {
        for (let w = 0; w < output[2]!; w++) {
          const bins = [d, h, w].map((i, axis) => binOf(i, input[axis]!, output[axis]!));
          visit(bin++, plane * size, positions(bins, input));
        }
      }
    }
  }
}

function positions(bins: readonly (readonly [number, number])[], size: readonly number[]): number[] {
  const found: number[] = [];
  const [depth, rows, columns] = bins as [[number, number], [number, number], [number, number]];
  for (let d = depth[0]; d < depth[1]; d++) {
    for (let h = rows[0]; h < rows[1]; h++) {
      for (let w = columns[0]; w < columns[1]; w++) found.push((d * size[1]! + h) * size[2]! + w);
    }
  }
  return found;
}

/** The mean of every bin. Inputs: x, spatial sizes of the output. */
export const adaptiveAvgPool = defineOp({
  type: 'AdaptiveAvgPool',
  opset: 'opset8',
  attributes: noAttributes,
  inputs: [2, 2],
  infer: (_, inputs) => [inferShape(inputs)],
  evaluate: (_, inputs) => {
    const { type, shape } = inferShape(factsOf(inputs));
    const values = toFloat64(inputs[0]!);
    const out = new Float64Array(elementCount(shape));
    forEachBin(inputs[0]!.shape, shape, (bin, plane, inside) => {
      for (const at of inside) out[bin]! += values[plane + at]! / inside.length;
    });
    return [fromFloat64(out, shape, type)];
  },
  expand: (_, node, e) => {
    const [x, shape] = [node.source(0)!, node.output.fact.shape];
    if (x.fact.shape.some((d) => d < 0) || !x.fact.shape.slice(2).every((d, i) => d % shape[i + 2]! === 0))
      return undefined;
    const kernel = x.fact.shape.slice(2).map((d, i) => d / shape[i + 2]!);
    const zeros = kernel.map(() => 0);
    const attributes = { kernel, strides: kernel, pads_begin: zeros, pads_end: zeros, 'exclude-pad': true };
    return [e.add('AvgPool', [x], attributes, 'pool')];
  },
});

/** The largest element of every bin, and its position in the plane: of equal ones the first. */
export const adaptiveMaxPool = defineOp({
  type: 'AdaptiveMaxPool',
  opset: 'opset8',
  attributes: z.object({ index_element_type: elementType.default('i64') }),
  inputs: [2, 2],
  infer: (a, inputs) => {
    const values = inferShape(inputs);
    return [values, { type: a.index_element_type, shape: values.shape }];
  },
  evaluate: (a, inputs): Tensor[] => {
    const { type, shape } = inferShape(factsOf(inputs));
    const values = toFloat64(inputs[0]!);
    const [most, where] = [new Float64Array(elementCount(shape)), new Float64Array(elementCount(shape))];
    forEachBin(inputs[0]!.shape, shape, (bin, plane, inside) => {
      let best = inside[0]!;
      for (const at of inside) if (values[plane + at]! > values[plane + best]!) best = at;
      most[bin] = values[plane + best]!;
      where[bin] = best;
    });
    return [fromFloat64(most, shape, type), fromFloat64(where, shape, a.index_element_type)];
  },
});
