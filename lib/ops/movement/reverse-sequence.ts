// ReverseSequence: turns the first elements of each line around.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { elementCount, normalizeAxis, stridesOf } from '../../tensor/shape.ts';
import { int } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { inputFact, mergeSizes } from '../fact.ts';
import { take } from './take.ts';

/** Inputs: data, one length for each index of the batch axis. The first `length` elements of the sequence axis turn. */
export const reverseSequence = defineOp({
  type: 'ReverseSequence',
  opset: 'opset1',
  attributes: z.object({ batch_axis: int.default(0), seq_axis: int.default(1) }),
  inputs: [2, 2],
  infer: (a, inputs) => {
    const [x, lengths] = [inputFact(inputs, 0), inputFact(inputs, 1)];
    const batch = normalizeAxis(a.batch_axis, x.shape.length);
    normalizeAxis(a.seq_axis, x.shape.length);
    if (lengths.shape.length !== 1) throw new LowpError('ERR_SHAPE_RANK', 'the lengths are not a list');
    return [{ type: x.type, shape: x.shape.with(batch, mergeSizes(x.shape[batch]!, lengths.shape[0]!, 'sequences')) }];
  },
  evaluate: (a, [x, lengths]) => {
    const { shape } = x!;
    const strides = stridesOf(shape);
    const batch = normalizeAxis(a.batch_axis, shape.length);
    const axis = normalizeAxis(a.seq_axis, shape.length);
    const list = toIntegers(lengths!);
    const wrong = list.find((n) => n < 0 || n > shape[axis]!);
    if (wrong !== undefined) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `a length is ${wrong}, the axis has ${shape[axis]} elements`);
    }
    const source = new Int32Array(elementCount(shape));
    for (let i = 0; i < source.length; i++) {
      const position = Math.floor(i / strides[axis]!) % shape[axis]!;
      const length = list[Math.floor(i / strides[batch]!) % shape[batch]!]!;
      source[i] = position < length ? i + (length - 1 - 2 * position) * strides[axis]! : i;
    }
    return [take(x!, shape, source)];
  },
});
