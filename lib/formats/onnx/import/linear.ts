/** MatMul and Gemm. */
import type { OutputPort } from '../../../graph/node.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const linearImporters: ImporterTable = {
  MatMul: (n) => [n.add('MatMul', { transpose_a: false, transpose_b: false }, [n.input(0), n.input(1)])],
  Gemm: gemm,
  Det: determinant,
};

/** `alpha · op(A) · op(B) + beta · C`; constant factors disappear into constant operands. */
function gemm(n: ImportNode): OutputPort[] {
  if (n.rank(0) !== 2 || n.rank(1) !== 2)
    n.invalid(`its operands have ranks ${n.rank(0)} and ${n.rank(1)}, expected 2`);
  const alpha = n.attributes.float('alpha') ?? 1;
  const beta = n.attributes.float('beta') ?? 1;
  const bias = beta === 0 ? undefined : n.optional(2);
  const transposes = { transpose_a: n.attributes.flag('transA'), transpose_b: n.attributes.flag('transB') };
  const b = scaled(n, n.input(1), alpha, 'alpha');
  const name = bias ? { suffix: 'WithoutBiases' } : {};
  const product = n.add('MatMul', transposes, [n.input(0), b], name);
  return [bias ? n.add('Add', {}, [product, scaled(n, bias, beta, 'beta')]) : product];
}

function scaled(n: ImportNode, port: OutputPort, factor: number, suffix: string): OutputPort {
  if (factor === 1) return port;
  const constant = n.scalar(port.fact.type, factor, `${suffix}/factor`);
  return n.add('Multiply', {}, [port, constant], { suffix });
}

/** Of matrices of up to three rows, by expansion along the first row. */
function determinant(n: ImportNode): OutputPort[] {
  const x = n.input(0);
  const [rows, columns] = x.fact.shape.slice(-2);
  if (rows !== columns || rows === undefined || rows < 1) n.invalid(`its input has shape ${x.fact.shape}`);
  if (rows > 3) n.unsupported(`matrices of ${rows} rows; lowp computes determinants of up to 3`);
  const at = (port: OutputPort, index: number): OutputPort => {
    const axis = n.scalar('i64', port.fact.shape.length - 1, 'axis');
    return n.step('Gather', [port, n.scalar('i64', index, 'index'), axis], { batch_dims: 0 });
  };
  // Columns first, so that the last axis that is left runs over rows.
  const lists = Array.from({ length: rows }, (_, c) => at(x, c));
  const entry = (row: number, column: number): OutputPort => at(lists[column]!, row);
  const times = (a: OutputPort, b: OutputPort) => n.step('Multiply', [a, b]);
  const minor = (r: number, a: number, b: number) =>
    n.step('Subtract', [times(entry(r, a), entry(r + 1, b)), times(entry(r, b), entry(r + 1, a))]);
  if (rows === 1) return [entry(0, 0)];
  if (rows === 2) return [minor(0, 0, 1)];
  const terms = [
    times(entry(0, 0), minor(1, 1, 2)),
    times(entry(0, 1), minor(1, 2, 0)),
    times(entry(0, 2), minor(1, 0, 1)),
  ];
  return [n.step('Add', [n.step('Add', [terms[0]!, terms[1]!]), terms[2]!])];
}
