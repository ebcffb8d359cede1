// Gather, all revisions: picks slices along an axis.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { elementCount, normalizeAxis, type Shape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { int, noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, mergeSizes, requiredIntegers } from '../fact.ts';
import { takeBlocks } from './take.ts';

const batchedAttributes = z.object({
  /** Leading axes that data and indices share. */
  batch_dims: int.default(0),
});

interface Layout {
  readonly axis: number;
  readonly batch: number;
  readonly shape: number[];
}

function layoutOf(batchDims: number, inputs: Facts): Layout {
  const [x, indices] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const axis = normalizeAxis(requiredIntegers(inputs, 2, 'axis')[0] ?? 0, x.shape.length);
  const batch = batchDims < 0 ? batchDims + indices.shape.length : batchDims;
  if (batch < 0 || batch > Math.min(axis, indices.shape.length)) {
    throw new LowpError('ERR_OP_ATTRIBUTE', `batch_dims ${batchDims} does not fit axis ${axis}`);
  }
  const common = x.shape.slice(0, batch).map((d, i) => mergeSizes(d, indices.shape[i]!, `batch axis ${i}`));
  const shape = [...common, ...x.shape.slice(batch, axis), ...indices.shape.slice(batch), ...x.shape.slice(axis + 1)];
  return { axis, batch, shape };
}

function infer(batchDims: number, inputs: Facts) {
  return [{ type: inputFact(inputs, 0).type, shape: layoutOf(batchDims, inputs).shape }];
}

/** Slices of the data, by position; an index outside of the axis picks nothing. */
function pick(x: Shape, indices: readonly number[], perBatch: number, l: Layout): Int32Array {
  const size = x[l.axis]!;
  const batches = elementCount(x.slice(0, l.batch));
  const outer = elementCount(x.slice(l.batch, l.axis));
  const source = new Int32Array(batches * outer * perBatch);
  let out = 0;
  for (let b = 0; b < batches; b++) {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < perBatch; i++) {
        const raw = indices[b * perBatch + i]!;
        const index = raw < 0 ? raw + size : raw;
        source[out++] = index >= 0 && index < size ? (b * outer + o) * size + index : -1;
      }
    }
  }
  return source;
}

function evaluate(batchDims: number, inputs: readonly Tensor[]): Tensor[] {
  const [x, indices] = [inputs[0]!, inputs[1]!];
  const layout = layoutOf(batchDims, factsOf(inputs));
  const perBatch = elementCount(indices.shape.slice(layout.batch));
  const slices = pick(x.shape, toIntegers(indices), perBatch, layout);
  return [takeBlocks(x, layout.shape, slices, elementCount(x.shape.slice(layout.axis + 1)))];
}

const batched = {
  type: 'Gather',
  attributes: batchedAttributes,
  inputs: [3, 3] as [number, number],
  infer: (a: { batch_dims: number }, inputs: Facts) => infer(a.batch_dims, inputs),
  evaluate: (a: { batch_dims: number }, inputs: readonly Tensor[]) => evaluate(a.batch_dims, inputs),
  quantization: { ascend: 'first' as const },
};

/** Inputs: data, indices, axis. The axis of the data is replaced by the axes of the indices. */
export const gather1 = defineOp({
  type: 'Gather',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [3, 3],
  infer: (_, inputs) => infer(0, inputs),
  evaluate: (_, inputs) => evaluate(0, inputs),
  quantization: { ascend: 'first' },
});

/** Gather whose first `batch_dims` axes are common to data and indices. */
export const gather7 = defineOp({ ...batched, opset: 'opset7' });

/** Gather-7 with indices that may count from the end; one outside of the axis gives zero. */
export const gather8 = defineOp({ ...batched, opset: 'opset8' });
