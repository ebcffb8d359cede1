/** Constants, shapes, types and operations that pass their input on. */
import type { OutputPort } from '../../../graph/node.ts';
import { fromFloat64, integerRange, toFloat64 } from '../../../tensor/convert.ts';
import { bitsOf, type ElementType, isInteger } from '../../../tensor/element-type.ts';
import { isMinifloat, largestOf } from '../../../tensor/minifloat.ts';
import { elementCount, isStatic } from '../../../tensor/shape.ts';
import { type Tensor, tensor } from '../../../tensor/tensor.ts';
import { computeType, elementTypeOf } from '../data-types.ts';
import { isWithin } from '../ranges.ts';
import { addTensor } from './add-tensor.ts';
import type { ImportNode, ValueImporterTable } from './import-node.ts';

export const constantImporters: ValueImporterTable = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shape,
  Size: size,
  Range: range,
  Cast: cast,
  CastLike: castLike,
  Identity: (n) => [n.value(0)],
  Dropout: dropout,
};

function constant(n: ImportNode): OutputPort[] {
  const { attributes } = n;
  const one = (type: 'f32' | 'i64', value: number | undefined) =>
    value === undefined ? undefined : tensor(type, [], [value]);
  const many = (type: 'f32' | 'i64', values: number[] | undefined) =>
    values === undefined ? undefined : tensor(type, [values.length], values);
  const value =
    attributes.tensor('value') ??
    one('f32', attributes.float('value_float')) ??
    one('i64', attributes.int('value_int')) ??
    many('f32', attributes.floats('value_floats')) ??
    many('i64', attributes.ints('value_ints'));
  return [addTensor(n.state.model, n.name, value ?? n.unsupported('it holds neither a tensor nor numbers'))];
}

function constantOfShape(n: ImportNode): OutputPort[] {
  const given: Tensor = n.attributes.tensor('value') ?? tensor('f32', [1], [0]);
  if (given.data.length !== 1) n.attributes.fail('value', `has ${given.data.length} elements, expected one`);
  const target = n.input(0);
  const known = target.fact.value ? n.knownInts(0, 'shape') : undefined;
  if (known?.some((d) => d < 0)) n.invalid(`its shape is ${known.join(',')}`);
  if (known && elementCount(known) <= 2 ** 16) {
    const values = new Float64Array(elementCount(known)).fill(toFloat64(given)[0]!);
    return [n.constant(fromFloat64(values, known, computeType(given.type)))];
  }
  const fill = addTensor(n.state.model, `${n.name}/value`, tensor(given.type, [], given.data));
  return [n.add('Broadcast', { mode: 'numpy' }, [fill, target])];
}

/** A known shape is a constant; `start` and `end` (opset 15) select axes. */
function shape(n: ImportNode): OutputPort[] {
  const dims = n.input(0).fact.shape;
  const clamp = (v: number) => Math.min(Math.max(v < 0 ? v + dims.length : v, 0), dims.length);
  const start = clamp(n.attributes.int('start') ?? 0);
  const end = Math.max(start, clamp(n.attributes.int('end') ?? dims.length));
  const part = dims.slice(start, end);
  if (isStatic(part)) return [n.constant(tensor('i64', [part.length], part))];
  const all = start === 0 && end === dims.length;
  const full = n.add('ShapeOf', { output_type: 'i64' }, [n.input(0)], all ? {} : { suffix: 'ShapeOf' });
  if (all) return [full];
  const axes = n.indices(
    part.map((_, i) => start + i),
    'axes',
  );
  return [n.add('Gather', { batch_dims: 0 }, [full, axes, n.scalar('i64', 0, 'axis')])];
}

function size(n: ImportNode): OutputPort[] {
  const dims = n.add('ShapeOf', { output_type: 'i64' }, [n.input(0)], { suffix: 'ShapeOf' });
  return [n.add('ReduceProd', { keep_dims: false }, [dims, n.indices([0], 'axes')])];
}

function range(n: ImportNode): OutputPort[] {
  const limits = [0, 1, 2].map((i) => n.reshaped(n.input(i), [], `limit.${i}`));
  return [n.add('Range', { output_type: n.input(0).fact.type }, limits)];
}

function cast(n: ImportNode): OutputPort[] {
  const number = n.attributes.int('to') ?? n.attributes.fail('to', 'is missing');
  return [castTo(n, elementTypeOf(number, `the target of Cast '${n.name}'`))];
}

function castLike(n: ImportNode): OutputPort[] {
  return [castTo(n, n.input(1).fact.type)];
}

/**
 * Whole numbers become others by their lowest bits, and anything becomes a number of less than eight bits so. From 64 to
 * 32 bits they saturate: what does not fit is a size without an end as a rule, and files keep a plain Convert. Floats of
 * eight bits saturate, infinities too, unless `saturate` is 0.
 */
function castTo(n: ImportNode, target: ElementType): OutputPort {
  const type = computeType(target);
  const data = n.input(0);
  const from = data.fact.type;
  if (from === type) return data;
  const real = type === 'f32' ? n.state.reals.get(data) : undefined;
  if (real) return real;
  if (isMinifloat(type)) return castToMinifloat(n, n.converted(data, 'f32'), type);
  if (bitsOf(type) < 8 || (losesBits(from, type) && !isWithin(data, type))) {
    return n.converted(lowestBits(n, data, type), type);
  }
  return n.add('Convert', { destination_type: type }, [data]);
}

function losesBits(from: ElementType, to: ElementType): boolean {
  const target = isInteger(from) && isInteger(to) ? integerRange(to) : undefined;
  if (!target) return false;
  const source = integerRange(from);
  if (!source) return bitsOf(to) < 32;
  return source[0] < target[0] || source[1] > target[1];
}

function castToMinifloat(n: ImportNode, real: OutputPort, type: ElementType): OutputPort {
  if (type === 'f8e8m0' || type === 'f4e2m1' || !n.attributes.flag('saturate', true)) return n.converted(real, type);
  // Comparisons are false for NaN, which must stay.
  const most = largestOf(type);
  const capped = n.step('Select', [n.with('Greater', real, most), n.scalar('f32', most, 'most'), real]);
  const bounded = n.step('Select', [n.with('Less', capped, -most), n.scalar('f32', -most, 'least'), capped]);
  return n.converted(bounded, type);
}

/** `x mod 2^bits`, moved into the range of a signed type. */
function lowestBits(n: ImportNode, data: OutputPort, type: ElementType): OutputPort {
  const span = 2 ** bitsOf(type);
  const wide = n.converted(data, 'i64');
  if (integerRange(type)![0] === 0) return n.with('FloorMod', wide, span);
  return n.with('Subtract', n.with('FloorMod', n.with('Add', wide, span / 2), span), span / 2);
}

/** The identity at inference; its mask keeps everything. */
function dropout(n: ImportNode): OutputPort[] {
  const training = n.opset >= 12 ? (n.knownNumber(2, 'training mode') ?? 0) : 0;
  // Exporters leave the mode on where nothing is dropped.
  if (training !== 0 && n.knownNumber(1, 'ratio') !== 0)
    n.unsupported('it is in training mode; export the model for inference');
  if (!n.outputNames[1]) return [n.input(0)];
  const kept = n.scalar('boolean', 1, 'kept');
  return [n.input(0), n.step('Broadcast', [kept, n.shapeOf(n.input(0))], { mode: 'numpy' })];
}
