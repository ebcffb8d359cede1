// Powers with a constant exponent that are simpler functions: squares.
import { constantOf, type Node } from '../../graph/node.ts';
import { toFloat32 } from '../../tensor/convert.ts';
import { sameShape } from '../../tensor/shape.ts';
import type { LowerContext } from '../lower-context.ts';
import { broadcastGeometry, emitBinary } from './emit-binary.ts';

/** One exponent for all elements, and it is 2. */
export function canLowerPower(node: Node): boolean {
  const exponent = constantOf(node.source(1));
  const keepsShape = sameShape(node.source(0)!.fact.shape, node.output.fact.shape);
  return keepsShape && exponent?.type === 'f32' && exponent.data.length === 1 && toFloat32(exponent)[0] === 2;
}

/** Emits `x · x`. */
export function lowerPower(node: Node, context: LowerContext): void {
  const { shape } = node.output.fact;
  const layout = context.layoutOf(node, 0);
  const x = context.float(node, 0, layout);
  const geometry = broadcastGeometry(shape, shape, shape, layout)!;
  const out = context.placeFloat(node.output, layout).buffer;
  emitBinary(context, { name: node.name, function: 'multiply', geometry, a: x, b: x, out });
}
