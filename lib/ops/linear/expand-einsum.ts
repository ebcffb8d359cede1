// Einsum as products, sums and transposes: operand after operand, each pair as one matrix product.
import type { OutputPort } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Expansion } from '../expansion.ts';

/** A value with a label for each axis; no label appears twice. */
interface Labelled {
  readonly port: OutputPort;
  readonly labels: readonly string[];
}

/** Operands of an equation: the labels of each one, the sizes of all, and the labels of the result. */
export interface EinsumTerms {
  readonly ports: readonly OutputPort[];
  readonly operands: readonly (readonly string[])[];
  readonly sizes: ReadonlyMap<string, number>;
  readonly output: readonly string[];
}

/** Emits the operations of one equation; names count them. */
class EinsumExpansion {
  private readonly expansion: Expansion;
  private readonly sizes: ReadonlyMap<string, number>;
  private steps = 0;

  constructor(expansion: Expansion, sizes: ReadonlyMap<string, number>) {
    this.expansion = expansion;
    this.sizes = sizes;
  }

  /** Leaves out axes of one element whose label is larger elsewhere: they only repeat. */
  withoutRepeated(port: OutputPort, labels: readonly string[]): Labelled {
    const kept = labels.filter((label, axis) => port.fact.shape[axis] !== 1 || this.size(label) === 1);
    return { port: this.shaped(port, this.shapeOf(kept)), labels: kept };
  }

  /** Sums over the labels that are not kept. */
  summed(x: Labelled, kept: ReadonlySet<string>): Labelled {
    const axes = x.labels.flatMap((label, axis) => (kept.has(label) ? [] : [axis]));
    if (axes.length === 0) return x;
    const name = this.name('sum');
    const list = this.expansion.constant('i64', [axes.length], axes, `${name}/axes`);
    const port = this.expansion.add('ReduceSum', [x.port, list], { keep_dims: false }, name);
    return { port, labels: x.labels.filter((label) => kept.has(label)) };
  }

  ordered({ port, labels }: Labelled, wanted: readonly string[]): Labelled {
    const order = wanted.map((label) => labels.indexOf(label));
    return { port: this.expansion.transpose(port, order, this.name('order')), labels: wanted };
  }

  /** The sum of products of two operands over the labels that are not kept. */
  product(left: Labelled, right: Labelled, kept: ReadonlySet<string>): Labelled {
    const a = this.summed(left, new Set([...kept, ...right.labels]));
    const b = this.summed(right, new Set([...kept, ...left.labels]));
    const common = a.labels.filter((label) => b.labels.includes(label));
    const batch = common.filter((label) => kept.has(label));
    const inner = common.filter((label) => !kept.has(label));
    const rows = a.labels.filter((label) => !common.includes(label));
    const columns = b.labels.filter((label) => !common.includes(label));
    const labels = [...batch, ...rows, ...columns];
    const port =
      inner.length === 0
        ? this.multiplied(this.ordered(a, [...batch, ...rows]), this.ordered(b, [...batch, ...columns]), labels)
        : this.matrixProduct(a, b, { batch, inner, rows, columns });
    return { port: this.shaped(port, this.shapeOf(labels)), labels };
  }

  private multiplied(a: Labelled, b: Labelled, labels: readonly string[]): OutputPort {
    const spread = ({ port, labels: own }: Labelled) =>
      this.shaped(
        port,
        labels.map((label) => (own.includes(label) ? this.size(label) : 1)),
      );
    return this.expansion.add('Multiply', [spread(a), spread(b)], {}, this.name('product'));
  }

  private matrixProduct(
    a: Labelled,
    b: Labelled,
    { batch, inner, rows, columns }: Readonly<Record<'batch' | 'inner' | 'rows' | 'columns', readonly string[]>>,
  ): OutputPort {
    const matrix = (x: Labelled, first: readonly string[], second: readonly string[]) => {
      const lists = batch.length > 0 ? [batch, first, second] : [first, second];
      const { port } = this.ordered(x, lists.flat());
      return this.shaped(
        port,
        lists.map((list) => elementCount(this.shapeOf(list))),
      );
    };
    const operands = [matrix(a, rows, inner), matrix(b, inner, columns)];
    return this.expansion.add('MatMul', operands, { transpose_a: false, transpose_b: false }, this.name('product'));
  }

  private shaped(port: OutputPort, shape: readonly number[]): OutputPort {
    const { shape: own } = port.fact;
    const isSame = own.length === shape.length && own.every((d, axis) => d === shape[axis]);
    return isSame ? port : this.expansion.reshape(port, shape, this.name('shape'));
  }

  private shapeOf(labels: readonly string[]): number[] {
    return labels.map((label) => this.size(label));
  }

  private size(label: string): number {
    return this.sizes.get(label)!;
  }

  private name(text: string): string {
    return `${text}_${this.steps++}`;
  }
}

/** The result of an equation; undefined when an operand has a label twice: its diagonal. */
export function expandEinsum(e: Expansion, terms: EinsumTerms): OutputPort | undefined {
  if (terms.operands.some((labels) => new Set(labels).size !== labels.length)) return undefined;
  const expansion = new EinsumExpansion(e, terms.sizes);
  const operands = terms.ports.map((port, i) => expansion.withoutRepeated(port, terms.operands[i]!));
  let value = operands[0]!;
  for (const [i, operand] of operands.entries()) {
    if (i === 0) continue;
    const later = operands.slice(i + 1).flatMap((o) => o.labels);
    value = expansion.product(value, operand, new Set([...terms.output, ...later]));
  }
  return expansion.ordered(expansion.summed(value, new Set(terms.output)), terms.output).port;
}
