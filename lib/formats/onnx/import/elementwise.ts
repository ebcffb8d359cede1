/** Arithmetic, comparisons and logic, element by element. */
import type { OutputPort } from '../../../graph/node.ts';
import { isFloat } from '../../../tensor/element-type.ts';
import type { Importer, ImporterTable, ImportNode } from './import-node.ts';

const unary: Importer = (n) => [n.add(unaryTypes[n.opType]!, {}, [n.input(0)])];
const binary: Importer = (n) => [n.add(binaryTypes[n.opType]!, {}, [n.input(0), n.input(1)])];

const unaryTypes: Readonly<Record<string, string>> = {
  Sqrt: 'Sqrt',
  Exp: 'Exp',
  Log: 'Log',
  Erf: 'Erf',
  Neg: 'Negative',
  Abs: 'Abs',
  Floor: 'Floor',
  Ceil: 'Ceiling',
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
  Not: 'LogicalNot',
  BitwiseNot: 'BitwiseNot',
  IsNaN: 'IsNaN',
};

const binaryTypes: Readonly<Record<string, string>> = {
  Add: 'Add',
  Sub: 'Subtract',
  Mul: 'Multiply',
  Equal: 'Equal',
  Greater: 'Greater',
  GreaterOrEqual: 'GreaterEqual',
  Less: 'Less',
  LessOrEqual: 'LessEqual',
  And: 'LogicalAnd',
  Or: 'LogicalOr',
  Xor: 'LogicalXor',
  BitwiseAnd: 'BitwiseAnd',
  BitwiseOr: 'BitwiseOr',
  BitwiseXor: 'BitwiseXor',
};

export const elementwiseImporters: ImporterTable = {
  ...Object.fromEntries(Object.keys(unaryTypes).map((type) => [type, unary])),
  ...Object.fromEntries(Object.keys(binaryTypes).map((type) => [type, binary])),
  Div: (n) => [n.add('Divide', { m_pythondiv: false }, [n.input(0), n.input(1)])],
  Round: (n) => [n.add('Round', { mode: 'half_to_even' }, [n.input(0)])],
  Reciprocal: (n) => [n.add('Divide', {}, [n.scalar(n.input(0).fact.type, 1, 'one'), n.input(0)])],
  Pow: pow,
  Mod: mod,
  Min: (n) => [chain(n, 'Minimum', n.allInputs())],
  Max: (n) => [chain(n, 'Maximum', n.allInputs())],
  Sum: (n) => [chain(n, 'Add', n.allInputs())],
  Mean: mean,
  Where: (n) => [n.add('Select', {}, n.allInputs())],
  BitShift: bitShift,
  IsInf: isInf,
};

/** The exponent may have another type than the base; the result has the base's. */
function pow(n: ImportNode): OutputPort[] {
  const { type } = n.input(0).fact;
  const exponent = n.input(1);
  const same =
    exponent.fact.type === type
      ? exponent
      : n.add('Convert', { destination_type: type }, [exponent], { suffix: 'exponent' });
  return [n.add('Power', {}, [n.input(0), same])];
}

function bitShift(n: ImportNode): OutputPort[] {
  const left = n.attributes.choice('direction', ['LEFT', 'RIGHT'], 'LEFT') === 'LEFT';
  if (!n.attributes.has('direction')) n.attributes.fail('direction', 'is missing');
  return [n.add(left ? 'BitwiseLeftShift' : 'BitwiseRightShift', {}, [n.input(0), n.input(1)])];
}

function isInf(n: ImportNode): OutputPort[] {
  const attributes = {
    detect_negative: n.attributes.flag('detect_negative', true),
    detect_positive: n.attributes.flag('detect_positive', true),
  };
  return [n.add('IsInf', attributes, [n.input(0)])];
}

/** `fmod = 1` keeps the sign of the dividend, the default that of the divisor. */
function mod(n: ImportNode): OutputPort[] {
  const truncated = n.attributes.flag('fmod');
  if (!truncated && isFloat(n.input(0).fact.type)) n.attributes.fail('fmod', 'is 0, floats need 1');
  return [n.add(truncated ? 'Mod' : 'FloorMod', {}, [n.input(0), n.input(1)])];
}

function mean(n: ImportNode): OutputPort[] {
  const inputs = n.allInputs();
  if (inputs.length === 1) return inputs;
  const sum = chain(n, 'Add', inputs, 'sum');
  return [n.add('Divide', {}, [sum, n.scalar(sum.fact.type, inputs.length, 'count')])];
}

/** Folds any number of operands from the left; the last step has the name of the node unless `suffix` is given. */
function chain(n: ImportNode, type: string, operands: readonly OutputPort[], suffix?: string): OutputPort {
  let result = operands[0] ?? n.input(0);
  for (const [i, operand] of operands.slice(1).entries()) {
    const last = i === operands.length - 2;
    const name = last ? suffix : `${suffix ?? type}.${i}`;
    result = n.add(type, {}, [result, operand], name === undefined ? {} : { suffix: name });
  }
  return result;
}
