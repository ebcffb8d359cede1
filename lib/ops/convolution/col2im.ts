// Col2Im: adds the columns of a convolution back to where they were read in the image.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount, formatShape, isStatic, type Shape, unknownRank, unknownShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, requiredIntegers, requireRank } from '../fact.ts';
import { resolveWindow } from '../window.ts';

const attributes = z.object({
  strides: intList.default([]),
  dilations: intList.default([]),
  pads_begin: intList.default([]),
  pads_end: intList.default([]),
});

type Attributes = z.infer<typeof attributes>;

function geometry(a: Attributes, inputs: Facts) {
  const columns = inputFact(inputs, 0).shape;
  requireRank(columns, 2, 3, 'the columns');
  const image = requiredIntegers(inputs, 1, 'size of the image');
  const kernel = requiredIntegers(inputs, 2, 'size of the kernel');
  const window = resolveWindow({ ...a, auto_pad: 'explicit' }, image, kernel);
  const area = elementCount(kernel);
  const [rows, places] = columns.slice(-2) as [number, number];
  if ((rows >= 0 && rows % area !== 0) || (places >= 0 && places !== elementCount(window.output))) {
    const text = `columns ${formatShape(columns)} do not fit an image ${formatShape(image)} and a kernel ${kernel}`;
    throw new LowpError('ERR_SHAPE_MISMATCH', text);
  }
  const channels = rows < 0 ? -1 : rows / area;
  return { window, shape: [...columns.slice(0, -2), channels, ...image] };
}

/** Image position of each tap and place, -1 in the padding: `[kernel, places]`. */
function positions(w: ReturnType<typeof resolveWindow>): Int32Array {
  const [area, places] = [elementCount(w.kernel), elementCount(w.output)];
  const digits = (value: number, sizes: Shape): number[] => {
    const out = new Array<number>(sizes.length);
    for (let i = sizes.length - 1; i >= 0; i--) {
      out[i] = value % sizes[i]!;
      value = Math.floor(value / sizes[i]!);
    }
    return out;
  };
  const table = new Int32Array(area * places);
  for (let k = 0; k < area; k++) {
    const tap = digits(k, w.kernel);
    for (let p = 0; p < places; p++) {
      const at = digits(p, w.output).map((o, i) => o * w.strides[i]! - w.padsBegin[i]! + tap[i]! * w.dilations[i]!);
      const inside = at.every((v, i) => v >= 0 && v < w.input[i]!);
      table[k * places + p] = inside ? at.reduce((offset, v, i) => offset * w.input[i]! + v, 0) : -1;
    }
  }
  return table;
}

function col2im(a: Attributes, inputs: readonly Tensor[]): Tensor {
  const { window, shape } = geometry(a, factsOf(inputs));
  const values = toFloat64(inputs[0]!);
  const table = positions(window);
  const image = elementCount(window.input);
  const out = new Float64Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) {
    const plane = Math.floor(i / table.length);
    const at = table[i % table.length]!;
    if (at >= 0) out[plane * image + at]! += values[i]!;
  }
  return fromFloat64(out, shape, inputs[0]!.type);
}

/**
 * Inputs: columns `[batch, channels · kernel, places]`, size of the image, size of the kernel. Output
 * `[batch, channels, image…]`: the sum of all columns that a convolution with this window reads at each element.
 */
export const col2Im = defineOp({
  type: 'Col2Im',
  opset: 'opset15',
  attributes,
  inputs: [3, 3],
  infer: (a, inputs) => {
    const [{ type, shape }, image, kernel] = [0, 1, 2].map((i) => inputFact(inputs, i)) as [Fact, Fact, Fact];
    if (image.value && kernel.value) return [{ type, shape: geometry(a, inputs).shape }];
    if (!isStatic(image.shape)) return [{ type, shape: unknownRank }];
    const open = unknownShape(image.shape[0] ?? 0);
    return [{ type, shape: [...shape.slice(0, -2), -1, ...open] }];
  },
  evaluate: (a, inputs) => [col2im(a, inputs)],
});
