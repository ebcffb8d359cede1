// Trees of products and sums with numbers, as the passes that fuse activations look at them.
import { constantOf, type OutputPort } from '../graph/node.ts';
import { toFloat32 } from '../tensor/convert.ts';

/**
 * A tree of products and divisions by numbers as one number and the computed factors.
 *
 * @param isRoot  the value may have several readers; the parts of a tree have one
 */
export function productOf(port: OutputPort, isRoot: boolean): { factor: number; ports: OutputPort[] } {
  const known = scalar(port);
  if (known !== undefined) return { factor: known, ports: [] };
  const { node } = port;
  const [a, b] = [node.source(0), node.source(1)];
  const isTree = isRoot || port.consumers.size === 1;
  if (isTree && node.type === 'Multiply' && a && b) {
    const [left, right] = [productOf(a, false), productOf(b, false)];
    return { factor: left.factor * right.factor, ports: [...left.ports, ...right.ports] };
  }
  const divisor = isTree && node.type === 'Divide' ? scalar(b) : undefined;
  if (divisor !== undefined && divisor !== 0 && a) {
    const { factor, ports } = productOf(a, false);
    return { factor: factor / divisor, ports };
  }
  return { factor: 1, ports: [port] };
}

/** The number that a constant holds. */
export function scalar(port: OutputPort | undefined): number | undefined {
  const value = constantOf(port);
  return value?.type === 'f32' && value.data.length === 1 ? toFloat32(value)[0] : undefined;
}

/** Equal but for what exporters round: to 1e-5 of the wanted value. */
export function isNear(value: number, wanted: number): boolean {
  return Math.abs(value - wanted) <= 1e-5 * Math.abs(wanted);
}

/** What a number is added to. */
export function addend(port: OutputPort, number: number): OutputPort | undefined {
  if (port.node.type !== 'Add') return undefined;
  const [a, b] = [port.node.source(0), port.node.source(1)];
  if (scalar(b) === number) return a;
  return scalar(a) === number ? b : undefined;
}
