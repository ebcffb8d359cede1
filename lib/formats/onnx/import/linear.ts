/** MatMul and Gemm. */
import type { OutputPort } from '../../../graph/node.ts';
import type { ImporterTable, ImportNode } from './import-node.ts';

export const linearImporters: ImporterTable = {
  MatMul: (n) => [n.add('MatMul', { transpose_a: false, transpose_b: false }, [n.input(0), n.input(1)])],
  Gemm: gemm,
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
