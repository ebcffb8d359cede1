// Operations on the bits of whole numbers: BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot, BitwiseLeftShift, BitwiseRightShift.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { allocate, bitsOf, type ElementType, isFloat } from '../../tensor/element-type.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { autoBroadcast, noAttributes } from '../attribute.ts';
import { broadcastBy, expandedStrides, stridedOffsets } from '../broadcast.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { commonType, type Facts, factsOf, inputFact } from '../fact.ts';
import type { IntegerFunction } from './emit-binary.ts';
import { binaryRuntime, canLowerBinary, lowerBinary } from './lower-binary.ts';

const attributes = z.object({ auto_broadcast: autoBroadcast });

function requireWhole(type: ElementType): void {
  if (!isFloat(type) && bitsOf(type) >= 8) return;
  throw new LowpError('ERR_TYPE_MISMATCH', `the inputs have type ${type}, expected whole numbers of 8 to 64 bits`);
}

/** Elements as integers of any width; results keep the bits that fit the type. */
function compute(type: ElementType, shape: readonly number[], at: (i: number) => bigint): Tensor {
  const count = elementCount(shape);
  const data = allocate(type, count);
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < count; i++) {
    const bits = type === 'boolean' ? at(i) & 1n : at(i);
    if (wide) data[i] = BigInt.asUintN(64, bits);
    else data[i] = Number(BigInt.asIntN(32, bits));
  }
  return { type, shape: [...shape], data };
}

/** The function in the kernel, and on integers of any width. */
type Bitwise = readonly [opset: string, kernel: IntegerFunction, f: (x: bigint, y: bigint) => bigint];

const functions: Readonly<Record<string, Bitwise>> = {
  BitwiseAnd: ['opset13', 'and', (x, y) => x & y],
  BitwiseOr: ['opset13', 'or', (x, y) => x | y],
  BitwiseXor: ['opset13', 'xor', (x, y) => x ^ y],
  BitwiseLeftShift: ['opset15', 'shiftLeft', (x, y) => x << y],
  BitwiseRightShift: ['opset15', 'shiftRight', (x, y) => x >> y],
};

function infer(a: z.infer<typeof attributes>, inputs: Facts) {
  const [x, y] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const type = commonType(x, y);
  requireWhole(type);
  return [{ type, shape: broadcastBy(a, x.shape, y.shape) }];
}

const binary = Object.entries(functions).map(([type, [opset, kernel, f]]) =>
  defineOp({
    type,
    opset,
    attributes,
    inputs: [2, 2],
    infer,
    evaluate: (a, [x, y]) => {
      const fact = infer(a, factsOf([x, y]))[0]!;
      const [atX, atY] = [x!, y!].map((t) => stridedOffsets(fact.shape, expandedStrides(t.shape, fact.shape)));
      const [u, v] = [x!.data, y!.data];
      return [compute(fact.type, fact.shape, (i) => f(BigInt(u[atX![i]!]!), BigInt(v[atY![i]!]!)))];
    },
    lower: (_, node, context) => lowerBinary(node, context, { floats: undefined, whole: kernel }),
    canLower: canLowerBinary,
    runtime: binaryRuntime({ floats: undefined, whole: kernel }),
  }),
);

const not = defineOp({
  type: 'BitwiseNot',
  opset: 'opset13',
  attributes: noAttributes,
  inputs: [1, 1],
  infer: (_, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    requireWhole(type);
    return [{ type, shape }];
  },
  evaluate: (_, [x]) => [compute(x!.type, x!.shape, (i) => ~BigInt(x!.data[i]!))],
  expand: (_, node, e) => {
    const { type } = node.output.fact;
    if (type !== 'i32' && type !== 'i64') return undefined;
    return [e.add('Subtract', [e.constant(type, [], [-1], 'ones'), node.source(0)], {}, 'not')];
  },
});

/** `z = x op y` on the bits of two's complement, with broadcasting; BitwiseNot has one operand. */
export const bitwise: readonly OpDef[] = [...binary, not];
