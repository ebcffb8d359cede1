// StringTensorPack and StringTensorUnpack: strings out of bytes, and bytes out of strings.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { sameShape } from '../../tensor/shape.ts';
import { stringBytes, stringTensor } from '../../tensor/strings.ts';
import { type Tensor, tensor } from '../../tensor/tensor.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, inputFact, requireRank } from '../fact.ts';

function inferPack(inputs: Facts): [Fact] {
  const [begins, ends, symbols] = [0, 1, 2].map((i) => inputFact(inputs, i)) as [Fact, Fact, Fact];
  const type = commonType(begins, ends);
  if ((type !== 'i32' && type !== 'i64') || symbols.type !== 'u8') {
    const text = `places of type ${type} in symbols of type ${symbols.type}; expected i32 or i64, and u8`;
    throw new LowpError('ERR_TYPE_MISMATCH', text);
  }
  requireRank(symbols.shape, 1);
  const fits =
    begins.shape.length === ends.shape.length &&
    begins.shape.every((d, i) => d < 0 || ends.shape[i]! < 0 || d === ends.shape[i]);
  if (!fits) throw new LowpError('ERR_SHAPE_MISMATCH', 'the first and last places have different shapes');
  return [{ type: 'string', shape: begins.shape.map((d, i) => Math.max(d, ends.shape[i]!)) }];
}

function pack([begins, ends, symbols]: readonly Tensor[]): Tensor {
  if (!sameShape(begins!.shape, ends!.shape)) {
    throw new LowpError('ERR_SHAPE_MISMATCH', 'the first and last places have different shapes');
  }
  const bytes = symbols!.data as Uint8Array;
  const last = toIntegers(ends!);
  const values = toIntegers(begins!).map((begin, i) => {
    const end = last[i]!;
    if (begin >= 0 && begin <= end && end <= bytes.length) return bytes.subarray(begin, end);
    throw new LowpError('ERR_SHAPE_MISMATCH', `string ${i} has the bytes ${begin} to ${end} of ${bytes.length}`);
  });
  return stringTensor(begins!.shape, values);
}

/** Inputs: the first byte of each string, the place behind its last one, and all bytes (UTF-8, u8). */
export const stringTensorPack = defineOp({
  type: 'StringTensorPack',
  opset: 'opset15',
  attributes: noAttributes,
  inputs: [3, 3],
  infer: (_, inputs) => inferPack(inputs),
  evaluate: (_, inputs) => [pack(inputs)],
});

function unpack(x: Tensor): Tensor[] {
  const values = stringBytes(x);
  const [begins, ends] = [new Int32Array(values.length), new Int32Array(values.length)];
  let at = 0;
  for (const [i, bytes] of values.entries()) {
    begins[i] = at;
    at += bytes.length;
    ends[i] = at;
  }
  const symbols = Uint8Array.from(Buffer.concat(values, at));
  return [tensor('i32', x.shape, begins), tensor('i32', x.shape, ends), tensor('u8', [at], symbols)];
}

/** Outputs: the first byte of each string and the place behind its last one (i32), and all bytes (u8). */
export const stringTensorUnpack = defineOp({
  type: 'StringTensorUnpack',
  opset: 'opset15',
  attributes: noAttributes,
  inputs: [1, 1],
  strings: true,
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    if (type !== 'string') throw new LowpError('ERR_TYPE_MISMATCH', `input 0 has type ${type}, expected strings`);
    return [
      { type: 'i32', shape },
      { type: 'i32', shape },
      { type: 'u8', shape: [-1] },
    ];
  },
  evaluate: (_, [x]) => unpack(x!),
});
