// Arithmetic on two operands: Add, Subtract, Multiply, Divide, Maximum, Minimum, Power, Mod, FloorMod, SquaredDifference.
import * as z from 'zod';
import { autoBroadcast, bool } from '../attribute.ts';
import type { OpDef } from '../define-op.ts';
import { addAsPostOp, divideAsPostOp, multiplyAsPostOp } from './bias.ts';
import { defineBinary } from './binary.ts';
import { canLowerPower, lowerPower } from './lower-power.ts';
import { isWhole } from './pointwise.ts';

const attributes = z.object({ auto_broadcast: autoBroadcast });

const divideAttributes = attributes.extend({
  /** Integers: round the quotient down; false: toward zero. */
  m_pythondiv: bool.default(true),
});

/** Every connected input is quantized. */
const everyPort = { quantizedPorts: 'all' } as const;

const add = defineBinary({
  type: 'Add',
  attributes,
  kernel: 'add',
  function: () => (x, y) => x + y,
  asPostOp: (_, node, port, owner) => addAsPostOp(node, port, owner),
  quantization: everyPort,
});

const subtract = defineBinary({
  type: 'Subtract',
  attributes,
  kernel: 'subtract',
  function: () => (x, y) => x - y,
  quantization: everyPort,
});

const multiply = defineBinary({
  type: 'Multiply',
  attributes,
  kernel: 'multiply',
  function: () => (x, y) => x * y,
  asPostOp: (_, node, port, owner) => multiplyAsPostOp(node, port, owner),
  quantization: everyPort,
});

/** x / y; whole numbers are rounded down, or toward zero. */
const divide = defineBinary({
  type: 'Divide',
  attributes: divideAttributes,
  kernel: 'divide',
  whole: (a) => (a.m_pythondiv ? 'divide' : 'divideTowardZero'),
  asPostOp: (_, node, port, owner) => divideAsPostOp(node, port, owner),
  function: (a, type) => {
    if (!isWhole(type)) return (x, y) => x / y;
    return a.m_pythondiv ? (x, y) => Math.floor(x / y) : (x, y) => Math.trunc(x / y);
  },
  quantization: everyPort,
});

const maximum = defineBinary({
  type: 'Maximum',
  attributes,
  kernel: 'maximum',
  function: () => (x, y) => Math.max(x, y),
  quantization: { quantizedPorts: 'all', ascend: 'first' },
});

const minimum = defineBinary({
  type: 'Minimum',
  attributes,
  kernel: 'minimum',
  function: () => (x, y) => Math.min(x, y),
  quantization: { quantizedPorts: 'all', ascend: 'first' },
});

/** x to the power y; a negative base with a fractional exponent is NaN. */
const power = defineBinary({
  type: 'Power',
  attributes,
  lowering: { lower: (_, node, context) => lowerPower(node, context), canLower: (_, node) => canLowerPower(node) },
  function: () => (x, y) => x ** y,
  quantization: { quantizedPorts: [0] },
});

/** Remainder with the sign of x: x − y · trunc(x / y). */
const mod = defineBinary({ type: 'Mod', attributes, whole: 'remainder', function: () => (x, y) => x % y });

/** Remainder with the sign of y: x − y · floor(x / y). */
const floorMod = defineBinary({
  type: 'FloorMod',
  attributes,
  whole: 'floorRemainder',
  function: () => (x, y) => {
    const rest = x % y;
    return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
  },
  quantization: everyPort,
});

/** (x − y)². */
const squaredDifference = defineBinary({
  type: 'SquaredDifference',
  attributes,
  kernel: 'squaredDifference',
  function: () => (x, y) => (x - y) * (x - y),
});

export const arithmetic: readonly OpDef[] = [
  add,
  subtract,
  multiply,
  divide,
  maximum,
  minimum,
  power,
  mod,
  floorMod,
  squaredDifference,
];
