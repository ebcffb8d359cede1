/** Operations that choose, place and order elements by indices, and masks made of positions. */
import type { OutputPort } from '../../../graph/node.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import { computeType, elementTypeOf } from '../data-types.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const pickingImporters: ImporterTable = {
  TopK: topK,
  GatherElements: (n) => [n.add('GatherElements', { axis: axisOf(n, 0) }, [n.input(0), n.input(1)])],
  GatherND: (n) => [
    n.add('GatherND', { batch_dims: n.attributes.int('batch_dims') ?? 0 }, [n.input(0), n.input(1)], {
      opset: 'opset8',
    }),
  ],
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  NonZero: (n) => [n.add('NonZero', { output_type: 'i64' }, [n.input(0)])],
  Unique: unique,
  Compress: compress,
  OneHot: oneHot,
  ReverseSequence: reverseSequence,
  CumSum: cumSum,
  Trilu: trilu,
  EyeLike: eyeLike,
};

function axisOf(n: ImportNode, otherwise: number): number {
  return normalizeAxis(n.attributes.int('axis') ?? otherwise, n.rank(0));
}

/** k is an attribute before opset 10, an input since; `largest` and `sorted` exist since opset 11. */
function topK(n: ImportNode): readonly OutputPort[] {
  const k =
    n.opset < 10 ? n.scalar('i64', n.attributes.int('k') ?? n.attributes.fail('k', 'is missing'), 'k') : undefined;
  const mode = n.attributes.flag('largest', true) ? 'max' : 'min';
  const sort = n.attributes.flag('sorted', true) ? 'value' : 'none';
  const attributes = { axis: axisOf(n, -1), mode, sort, index_element_type: 'i64' };
  return n.addAll('TopK', attributes, [n.input(0), k ?? n.reshaped(n.input(1), [], 'k')]);
}

const reductions = { none: 'none', add: 'sum', mul: 'prod', max: 'max', min: 'min' } as const;

function reductionOf(n: ImportNode): string {
  return reductions[n.attributes.choice('reduction', ['none', 'add', 'mul', 'max', 'min'], 'none')];
}

function scatterElements(n: ImportNode): OutputPort[] {
  const reduction = reductionOf(n);
  const inputs = [...n.allInputs(), n.scalar('i64', axisOf(n, 0), 'axis')];
  if (reduction === 'none') return [n.add('ScatterElementsUpdate', {}, inputs, { opset: 'opset3' })];
  return [n.add('ScatterElementsUpdate', { reduction }, inputs, { opset: 'opset12' })];
}

function scatterNd(n: ImportNode): OutputPort[] {
  const reduction = reductionOf(n);
  if (reduction === 'none') return [n.add('ScatterNDUpdate', {}, n.allInputs(), { opset: 'opset4' })];
  return [n.add('ScatterNDUpdate', { reduction }, n.allInputs(), { opset: 'opset15' })];
}

function unique(n: ImportNode): readonly OutputPort[] {
  const axis = n.attributes.int('axis');
  const attributes = {
    sorted: n.attributes.flag('sorted', true),
    index_element_type: 'i64',
    count_element_type: 'i64',
  };
  const inputs = axis === undefined ? [n.input(0)] : [n.input(0), n.scalar('i64', axis, 'axis')];
  return n.addAll('Unique', attributes, inputs);
}

/** The slices along an axis, or the elements, whose condition holds. */
function compress(n: ImportNode): OutputPort[] {
  const places = n.step('NonZero', [n.input(1)], { output_type: 'i64' });
  const list = n.step('Squeeze', [places, n.indices([0], 'axes')]);
  const axis = n.attributes.has('axis') ? axisOf(n, 0) : undefined;
  const flat = () => n.step('Reshape', [n.input(0), n.indices([-1], 'flat')], { special_zero: false });
  const data = axis === undefined ? flat() : n.input(0);
  return [n.step('Gather', [data, list, n.scalar('i64', axis ?? 0, 'axis')], { batch_dims: 0 })];
}

/** Indices count from the end when they are negative; values are those of `off` and `on`. */
function oneHot(n: ImportNode): OutputPort[] {
  const depth = n.reshaped(n.converted(n.input(1), 'i64'), [], 'depth');
  const given = n.converted(n.input(0), 'i64');
  const turned = n.step('Add', [given, depth]);
  const indices = n.step('Select', [n.with('Less', given, 0), turned, given]);
  const value = (at: number): OutputPort =>
    n.step('Gather', [n.input(2), n.scalar('i64', at, 'at'), n.scalar('i64', 0, 'axis')], { batch_dims: 0 });
  const axis = normalizeAxis(n.attributes.int('axis') ?? -1, n.rank(0) + 1);
  return [n.step('OneHot', [indices, depth, value(1), value(0)], { axis })];
}

function reverseSequence(n: ImportNode): OutputPort[] {
  const attributes = {
    batch_axis: n.attributes.int('batch_axis') ?? 1,
    seq_axis: n.attributes.int('time_axis') ?? 0,
  };
  return [n.add('ReverseSequence', attributes, [n.input(0), n.input(1)])];
}

function cumSum(n: ImportNode): OutputPort[] {
  const attributes = { exclusive: n.attributes.flag('exclusive'), reverse: n.attributes.flag('reverse') };
  return [n.add('CumSum', attributes, [n.input(0), n.reshaped(n.input(1), [], 'axis')])];
}

/** 0, 1, … up to a size of the data, as a row or as a column. */
function positions(n: ImportNode, data: OutputPort, axis: number, column: boolean): OutputPort {
  const row = n.countTo(n.sizeOf(data, axis));
  return column ? n.step('Unsqueeze', [row, n.indices([1], 'axes')]) : row;
}

/** Elements on one side of a diagonal stay, the others become zero: `column - row ≥ k` above, `≤ k` below. */
function trilu(n: ImportNode): OutputPort[] {
  const data = n.input(0);
  const rank = n.rank(0);
  if (rank < 2) n.invalid(`its input has rank ${rank}, expected at least 2`);
  const distance = n.step('Subtract', [positions(n, data, rank - 1, false), positions(n, data, rank - 2, true)]);
  const k = n.optional(1) ? n.reshaped(n.input(1), [], 'k') : n.scalar('i64', 0, 'k');
  const kept = n.step(n.attributes.flag('upper', true) ? 'GreaterEqual' : 'LessEqual', [distance, k]);
  return [n.step('Select', [kept, data, n.scalar(data.fact.type, 0, 'zero')])];
}

function eyeLike(n: ImportNode): OutputPort[] {
  const data = n.input(0);
  if (n.rank(0) !== 2) n.invalid(`its input has rank ${n.rank(0)}, expected 2`);
  const number = n.attributes.int('dtype');
  const type = number === undefined ? data.fact.type : elementTypeOf(number, `EyeLike '${n.name}'`);
  const offset = n.scalar('i64', n.attributes.int('k') ?? 0, 'k');
  return [n.add('Eye', { output_type: computeType(type) }, [n.sizeOf(data, 0), n.sizeOf(data, 1), offset])];
}
