// Mathematics on one operand: Abs, Negative, Sign, Ceiling, Floor, Round, Sqrt, Exp, Log, Erf, trigonometry.
import * as z from 'zod';
import { enumeration, noAttributes } from '../attribute.ts';
import type { OpDef } from '../define-op.ts';
import { roundHalfAwayFromZero, roundHalfToEven } from '../rounding.ts';
import { erf } from './error-function.ts';
import type { UnaryFunction } from './lower-unary.ts';
import { definePointwise } from './pointwise.ts';

interface Entry {
  readonly opset?: string;
  readonly function: (x: number) => number;
  readonly kernel?: UnaryFunction;
  /** Input 0 is quantized on targets that list the operation. */
  readonly quantized?: true;
}

const functions: Readonly<Record<string, Entry>> = {
  Abs: { function: Math.abs, kernel: 'abs', quantized: true },
  Negative: { function: (x) => -x, kernel: 'negative' },
  Sign: { function: Math.sign, kernel: 'sign', quantized: true },
  Ceiling: { function: Math.ceil, kernel: 'ceiling' },
  Floor: { function: Math.floor, kernel: 'floor' },
  Sqrt: { function: Math.sqrt, kernel: 'sqrt' },
  Exp: { function: Math.exp, kernel: 'exp', quantized: true },
  Log: { function: Math.log, kernel: 'log', quantized: true },
  Erf: { function: erf, kernel: 'erf' },
  Sin: { function: Math.sin, kernel: 'sin' },
  Cos: { function: Math.cos, kernel: 'cos' },
  Tan: { function: Math.tan, kernel: 'tan' },
  Asin: { function: Math.asin, kernel: 'asin' },
  Acos: { function: Math.acos, kernel: 'acos' },
  Atan: { function: Math.atan, kernel: 'atan' },
  Sinh: { function: Math.sinh, kernel: 'sinh' },
  Cosh: { function: Math.cosh, kernel: 'cosh' },
  Asinh: { opset: 'opset3', function: Math.asinh, kernel: 'asinh' },
  Acosh: { opset: 'opset3', function: Math.acosh, kernel: 'acosh' },
  Atanh: { opset: 'opset3', function: Math.atanh, kernel: 'atanh' },
};

const plain = Object.entries(functions).map(([type, { kernel, ...entry }]) =>
  definePointwise({
    type,
    ...(entry.opset ? { opset: entry.opset } : {}),
    attributes: noAttributes,
    function: () => entry.function,
    ...(kernel ? { kernel: () => [kernel] as const } : {}),
    ...(entry.quantized ? { quantization: { quantizedPorts: [0] } } : {}),
  }),
);

/** To the nearest integer; ties to the even one, or away from zero. */
const round = definePointwise({
  type: 'Round',
  opset: 'opset5',
  attributes: z.object({ mode: enumeration(['half_to_even', 'half_away_from_zero']).default('half_to_even') }),
  function: (a) => (a.mode === 'half_to_even' ? roundHalfToEven : roundHalfAwayFromZero),
  kernel: (a) => [a.mode === 'half_to_even' ? 'roundEven' : 'roundAway'],
});

export const unaryMath: readonly OpDef[] = [...plain, round];
