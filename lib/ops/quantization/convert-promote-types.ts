// ConvertPromoteTypes: two tensors in one type that holds both.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Fact } from '../../graph/node.ts';
import { convert } from '../../tensor/convert.ts';
import { bitsOf, type ElementType, elementTypes, isFloat, isInteger } from '../../tensor/element-type.ts';
import { bool, elementType } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact } from '../fact.ts';

const attributes = z.object({
  /** Promotions that lose precision, or that take more than twice the bits. */
  promote_unsafe: bool.default(false),
  /** Of two types of one kind, that of the input with axes when the other one has none. */
  pytorch_scalar_promotion: bool.default(false),
  /** What u64 and a signed integer become. */
  u64_integer_promotion_target: elementType.default('f32'),
});

type Attributes = z.infer<typeof attributes>;

/** Unsigned integers; floats and other integers have a sign. */
const isUnsigned = (type: ElementType): boolean => isInteger(type) && type.startsWith('u');

/** Types of which there are several of a size, and what holds both. */
const sameSize: Readonly<Record<number, ElementType>> = { 8: 'f16', 16: 'f32' };

function refuse(a: ElementType, b: ElementType, text: string): never {
  throw new LowpError('ERR_TYPE_MISMATCH', `${a} and ${b} have no common type: ${text}`, {
    help: 'Set promote_unsafe, or convert the inputs with Convert.',
  });
}

/** Whether every number of `from` is one of `to`, as far as bits and signs tell. */
function holds(to: ElementType, from: ElementType): boolean {
  if (isUnsigned(to) === isUnsigned(from)) return bitsOf(to) >= bitsOf(from);
  return isUnsigned(from) && bitsOf(to) * 2 >= bitsOf(from);
}

/** The type of both outputs. */
function commonTypeOf(a: Attributes, x: Fact, y: Fact): ElementType {
  if (x.type === y.type || y.type === 'boolean') return x.type;
  if (x.type === 'boolean') return y.type;
  if (isFloat(x.type) !== isFloat(y.type)) {
    const [real, whole] = isFloat(x.type) ? [x.type, y.type] : [y.type, x.type];
    if (a.promote_unsafe || bitsOf(real) >= 2 * bitsOf(whole)) return real;
    return refuse(x.type, y.type, `${real} does not hold all numbers of ${whole}`);
  }
  if (a.pytorch_scalar_promotion && (x.shape.length === 0) !== (y.shape.length === 0)) {
    const [target, scalar] = x.shape.length === 0 ? [y.type, x.type] : [x.type, y.type];
    if (a.promote_unsafe || holds(target, scalar)) return target;
    return refuse(x.type, y.type, `${target} does not hold all numbers of ${scalar}`);
  }
  if (isUnsigned(x.type) !== isUnsigned(y.type)) return ofMixedSigns(a, x.type, y.type);
  if (bitsOf(x.type) !== bitsOf(y.type)) return bitsOf(x.type) > bitsOf(y.type) ? x.type : y.type;
  const wider = sameSize[bitsOf(x.type)];
  if (a.promote_unsafe && wider) return wider;
  return refuse(x.type, y.type, 'neither holds all numbers of the other one');
}

/** A signed integer of twice the bits of the unsigned one. */
function ofMixedSigns(a: Attributes, x: ElementType, y: ElementType): ElementType {
  const [unsigned, signed] = isUnsigned(x) ? [x, y] : [y, x];
  const bits = Math.max(2 * bitsOf(unsigned), bitsOf(signed));
  const wide = elementTypes.find((t) => t === `i${bits}`);
  if (wide && (a.promote_unsafe || bits === bitsOf(signed))) return wide;
  if (!a.promote_unsafe) return refuse(x, y, `${signed} does not hold all numbers of ${unsigned}`);
  return a.u64_integer_promotion_target;
}

function infer(a: Attributes, inputs: Facts): [Fact, Fact] {
  const [x, y] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  const type = commonTypeOf(a, x, y);
  return [
    { type, shape: x.shape },
    { type, shape: y.shape },
  ];
}

/**
 * Both inputs in a common type. A boolean takes the other type; an integer beside a float takes the float's, which must
 * have twice its bits; of two signed, two unsigned or two float types the wider one counts; a signed and an unsigned
 * integer become a signed one that holds both. With `promote_unsafe` the types may be too small: i32 and f16 become f16.
 */
export const convertPromoteTypes = defineOp({
  type: 'ConvertPromoteTypes',
  opset: 'opset14',
  attributes,
  inputs: [2, 2],
  infer,
  evaluate: (a, inputs) => {
    const [{ type }] = infer(a, factsOf(inputs));
    return inputs.map((t) => convert(t, type));
  },
  expand: (_, node, expansion) =>
    node.outputs.map(({ fact }, i) =>
      expansion.add('Convert', [node.source(i)], { destination_type: fact.type }, `converted_${i}`),
    ),
});
