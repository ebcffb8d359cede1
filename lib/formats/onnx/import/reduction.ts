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
  ArgMax: (n) => [extreme(n, 'max')],
  ArgMin: (n) => [extreme(n, 'min')],
};

/** Axes are an attribute or an input; none means all, unless `noop_with_empty_axes` says otherwise. */
function reduced(n: ImportNode, type: string, data: OutputPort): OutputPort {
  const rank = n.rank(0);
  const given = n.intsFrom('axes', 1);
  const keep = n.attributes.flag('keepdims', true);
  if ((!given || given.length === 0) && n.attributes.flag('noop_with_empty_axes')) return data;
  const axes =
    given && given.length > 0 ? given.map((a) => normalizeAxis(a, rank)) : Array.from({ length: rank }, (_, i) => i);
  return n.add(type, { keep_dims: keep }, [data, n.indices(axes, 'axes')]);
}

/** ArgMax and ArgMin as the index output of a TopK of one element. */
function extreme(n: ImportNode, mode: string): OutputPort {
  if (n.attributes.flag('select_last_index')) n.unsupported('select_last_index = 1');
  const axis = normalizeAxis(n.attributes.int('axis') ?? 0, n.rank(0));
  const keep = n.attributes.flag('keepdims', true);
  const attributes = { axis, mode, sort: 'value', index_element_type: 'i64' };
  const one = n.scalar('i64', 1, 'k');
  const outputs = n.addAll('TopK', attributes, [n.input(0), one], keep ? {} : { suffix: 'TopK' });
  const index = outputs[1] ?? n.invalid('TopK has no second output');
  return keep ? index : n.add('Squeeze', {}, [index, n.indices([axis], 'axes')]);
}
