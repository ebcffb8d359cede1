// ReverseSequence: turns the first elements of each line around.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { toIntegers } from '../../tensor/convert.ts';
import { elementCount, isStatic, normalizeAxis, stridesOf } from '../../tensor/shape.ts';
import { int } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { inputFact, mergeSizes } from '../fact.ts';
import { take } from './take.ts';

interface Attributes {
  readonly batch_axis: number;
  readonly seq_axis: number;
}

/**
 * A gather at `length − 1 − t` for t below the length and at t behind it, with both axes in front. Of a length that lies
 * outside of the axis some positions do too, and the gather reports them.
 */
function expand(a: Attributes, node: Node, e: Expansion): readonly OutputPort[] | undefined {
  const [x, lengths] = [node.source(0)!, node.source(1)!];
  const { type } = lengths.fact;
  const { shape } = x.fact;
  if (!isStatic(shape) || (type !== 'i32' && type !== 'i64')) return undefined;
  const [batch, axis] = [a.batch_axis, a.seq_axis].map((value) => normalizeAxis(value, shape.length)) as [
    number,
    number,
  ];
  if (batch === axis) return undefined;
  const order = [batch, axis, ...shape.map((_, i) => i).filter((i) => i !== batch && i !== axis)];
  const [count, size] = [shape[batch]!, shape[axis]!];
  const places = Array.from({ length: size }, (_, i) => i);
  const list = e.constant(type, [1, size], places, 'places');
  const length = e.reshape(lengths, [count, 1], 'lengths');
  const mirrored = e.add(
    'Subtract',
    [
      length,
      e.constant(
        type,
        [1, size],
        places.map((i) => i + 1),
        'ends',
      ),
    ],
    {},
    'mirrored',
  );
  const limited = e.add('Minimum', [length, e.constant(type, [], [0], 'zero')], {}, 'negative');
  const far = e.add('Multiply', [limited, e.constant(type, [], [size + 1], 'far')], {}, 'outside');
  const behind = e.add('Add', [list, far], {}, 'behind');
  const from = e.add('Select', [e.add('Less', [list, length], {}, 'turns'), mirrored, behind], {}, 'from');
  const moved = e.transpose(x, order, 'front');
  const index = e.reshape(from, [count, size, 1], 'indices');
  const taken = e.add('GatherND', [moved, index], { batch_dims: 1 }, 'taken');
  const back = shape.map((_, i) => order.indexOf(i));
  return [e.transpose(taken, back, 'back')];
}

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
  expand,
});
