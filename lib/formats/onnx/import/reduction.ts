/** Reductions over axes, and the choice of extreme elements. */
import type { OutputPort } from '../../../graph/node.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import type { Importer, ImporterTable, ImportNode } from './import-node.ts';

const types: Readonly<Record<string, string>> = {
  ReduceMean: 'ReduceMean',
  ReduceSum: 'ReduceSum',
  ReduceMax: 'ReduceMax',
  ReduceMin: 'ReduceMin',
  ReduceProd: 'ReduceProd',
  ReduceL1: 'ReduceL1',
  ReduceL2: 'ReduceL2',
};

const reduce: Importer = (n) => [reduced(n, types[n.opType]!, n.input(0))];

export const reductionImporters: ImporterTable = {
  ...Object.fromEntries(Object.keys(types).map((type) => [type, reduce])),
  ReduceSumSquare: (n) => [
    reduced(n, 'ReduceSum', n.add('Multiply', {}, [n.input(0), n.input(0)], { suffix: 'square' })),
  ],
  ReduceLogSum: (n) => [n.step('Log', [reduced(n, 'ReduceSum', n.input(0))])],
  ReduceLogSumExp: logSumExp,
  ArgMax: (n) => [extreme(n, 'max')],
  ArgMin: (n) => [extreme(n, 'min')],
};

/**
 * Axes are an attribute or an input; none means all, unless `noop_with_empty_axes` says otherwise. Axes that are computed
 * pass on as they are.
 */
function reduced(n: ImportNode, type: string, data: OutputPort, keepAll = false): OutputPort {
  const axes = axesOf(n);
  if (!axes) return data;
  const keep = keepAll || n.attributes.flag('keepdims', true);
  return n.step(type, [data, axes], { keep_dims: keep });
}

/** The axes to reduce; undefined when there is nothing to do. */
function axesOf(n: ImportNode): OutputPort | undefined {
  const rank = n.rank(0);
  const port = n.optional(1);
  const given = n.attributes.ints('axes') ?? n.ints(1);
  const none = given ? given.length === 0 : !port || port.fact.shape[0] === 0;
  if (none && n.attributes.flag('noop_with_empty_axes')) return undefined;
  if (none)
    return n.indices(
      Array.from({ length: rank }, (_, i) => i),
      'axes',
    );
  if (!given) return port;
  return n.indices(
    given.map((a) => normalizeAxis(a, rank)),
    'axes',
  );
}

/** `m + log Σ exp(x - m)`, m the largest element of the sum where that is finite, else 0. */
function logSumExp(n: ImportNode): OutputPort[] {
  const x = n.input(0);
  const axes = axesOf(n);
  if (!axes) return [x];
  const keep = n.attributes.flag('keepdims', true);
  const most = n.step('ReduceMax', [x, axes], { keep_dims: true });
  const zero = n.scalar(x.fact.type, 0, 'zero');
  const shift = n.step('Select', [n.step('IsFinite', [most]), most, zero]);
  const sum = n.step('ReduceSum', [n.step('Exp', [n.step('Subtract', [x, shift])]), axes], { keep_dims: keep });
  return [n.step('Add', [n.step('Log', [sum]), keep ? shift : n.step('Squeeze', [shift, axes])])];
}

/** ArgMax and ArgMin as the index output of a TopK of one element; the last of equal ones is the first from behind. */
function extreme(n: ImportNode, mode: string): OutputPort {
  const data = n.input(0);
  const axis = normalizeAxis(n.attributes.int('axis') ?? 0, n.rank(0));
  const keep = n.attributes.flag('keepdims', true);
  const last = n.attributes.flag('select_last_index');
  const attributes = { axis, mode, sort: 'value', index_element_type: 'i64' };
  const index = n.addAll('TopK', attributes, [last ? reversed(n, data, axis) : data, n.scalar('i64', 1, 'k')], {
    suffix: 'TopK',
  })[1]!;
  const size = last ? n.step('Subtract', [n.sizeOf(data, axis), n.scalar('i64', 1, 'one')]) : undefined;
  const place = size ? n.step('Subtract', [size, index]) : index;
  return keep ? place : n.step('Squeeze', [place, n.indices([axis], 'axes')]);
}

function reversed(n: ImportNode, data: OutputPort, axis: number): OutputPort {
  const bounds = [[-1], [-(2 ** 31)], [-1], [axis]].map((list) => n.indices(list, 'reverse'));
  return n.step('Slice', [data, ...bounds]);
}
