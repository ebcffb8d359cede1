/** Operations that are one ONNX node on the same inputs, and a few that are two. */
import { isFloat } from '../../../tensor/element-type.ts';
import type { ExporterTable, ExportNode } from './export-node.ts';

const unary = {
  ReLU: 'Relu',
  Sigmoid: 'Sigmoid',
  Tanh: 'Tanh',
  SoftPlus: 'Softplus',
  SoftSign: 'Softsign',
  HSwish: 'HardSwish',
  Sqrt: 'Sqrt',
  Exp: 'Exp',
  Log: 'Log',
  Erf: 'Erf',
  Negative: 'Neg',
  Abs: 'Abs',
  Floor: 'Floor',
  Ceiling: 'Ceil',
  Sign: 'Sign',
  Sin: 'Sin',
  Cos: 'Cos',
  Tan: 'Tan',
  Asin: 'Asin',
  Acos: 'Acos',
  Atan: 'Atan',
  Sinh: 'Sinh',
  Cosh: 'Cosh',
  Asinh: 'Asinh',
  Acosh: 'Acosh',
  Atanh: 'Atanh',
  IsNaN: 'IsNaN',
  LogicalNot: 'Not',
} as const;

const binary = {
  Add: 'Add',
  Subtract: 'Sub',
  Maximum: 'Max',
  Minimum: 'Min',
  Power: 'Pow',
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
  LogicalAnd: 'And',
  LogicalOr: 'Or',
  LogicalXor: 'Xor',
} as const;

export const elementwiseExporters: ExporterTable = {
  ...Object.fromEntries(
    Object.entries(unary).map(([type, opType]) => [type, (e: ExportNode) => e.finish(opType, [e.input(0)])]),
  ),
  ...Object.fromEntries(
    Object.entries(binary).map(([type, opType]) => [type, (e: ExportNode) => e.finish(opType, operands(e))]),
  ),
  Equal: (e) => e.finish('Equal', comparable(e)),
  Divide: divide,
  Mod: (e) => e.finish('Mod', operands(e), { fmod: 1n }),
  FloorMod: floorMod,
  NotEqual: (e) => e.finish('Not', [e.step('Equal', comparable(e), 'Equal')]),
  SquaredDifference: squaredDifference,
  Select: (e) => e.finish('Where', operands(e)),
  IsInf: isInfinite,
  IsFinite: (e) => e.finish('Not', [e.step('Or', [isNumber(e, 'IsNaN'), isNumber(e, 'IsInf')], 'Or')]),
  Round: round,
};

/** A product of values. `quantization.ts` lists Multiply: one with stored weights is exported otherwise. */
export function product(e: ExportNode): void {
  e.finish('Mul', operands(e));
}

/** Both formats broadcast alike, unless the operation asks for an older rule. */
function operands(e: ExportNode): string[] {
  const rule = e.text('auto_broadcast');
  if (rule !== '' && rule !== 'numpy' && rule !== 'none') e.unsupported(`auto_broadcast '${rule}'`);
  return e.inputs();
}

/** Opset 17 compares no strings. */
function comparable(e: ExportNode): string[] {
  return e.type() === 'string' ? e.unsupported('its inputs are strings') : operands(e);
}

function divide(e: ExportNode): void {
  const inputs = operands(e);
  const type = e.type();
  if (isFloat(type) || type.startsWith('u') || !e.flag('m_pythondiv')) {
    e.finish('Div', inputs);
    return;
  }
  // ONNX rounds toward zero: one too many where the two kinds of remainder differ.
  const remainders = [0n, 1n].map((fmod) => e.step('Mod', inputs, `Mod_${fmod}`, { fmod }));
  const isAbove = e.step('Not', [e.step('Equal', remainders, 'Equal')], 'is_above');
  e.finish('Sub', [e.step('Div', inputs, 'Div'), e.cast(isAbove, 'boolean', type, 'above')]);
}

/** ONNX Runtime tells no halves from infinity. */
function isNumber(e: ExportNode, opType: string): string {
  return e.step(opType, [e.cast(e.input(0), e.type(), 'f32', `${opType}/single`)], opType);
}

function isInfinite(e: ExportNode): void {
  const [detect_positive, detect_negative] = ['detect_positive', 'detect_negative'].map((n) => BigInt(e.flag(n)));
  const x = e.cast(e.input(0), e.type(), 'f32', 'single');
  e.finish('IsInf', [x], { detect_positive: detect_positive!, detect_negative: detect_negative! });
}

function floorMod(e: ExportNode): void {
  if (isFloat(e.type())) e.unsupported('the remainder of floats with the sign of the divisor');
  e.finish('Mod', operands(e), { fmod: 0n });
}

function squaredDifference(e: ExportNode): void {
  const difference = e.step('Sub', operands(e), 'Sub');
  e.finish('Mul', [difference, difference]);
}

function round(e: ExportNode): void {
  if (e.text('mode') !== 'half_to_even') e.unsupported(`mode '${e.text('mode')}'`);
  e.finish('Round', [e.input(0)]);
}
