// Powers with a constant exponent that are simpler functions: squares and roots.
import { constantOf, type Node } from '../../graph/node.ts';
import { toFloat32 } from '../../tensor/convert.ts';
import { sameShape } from '../../tensor/shape.ts';
import type { LowerContext } from '../lower-context.ts';
import { broadcastGeometry, emitBinary } from './emit-binary.ts';
import { lowerUnary } from './lower-unary.ts';

/** The exponent of all elements, where there is one. */
function exponentOf(node: Node): number | undefined {
  const exponent = constantOf(node.source(1));
  const keepsShape = sameShape(node.source(0)!.fact.shape, node.output.fact.shape);
  if (!keepsShape || exponent?.type !== 'f32' || exponent.data.length !== 1) return undefined;
  return toFloat32(exponent)[0];
}

/** The exponent is 2 or 1/2. */
export function canLowerPower(node: Node): boolean {
  const exponent = exponentOf(node);
  return exponent === 2 || exponent === 0.5;
}

/** Emits `x · x` or `√x`, which is NaN at -Inf. */
export function lowerPower(node: Node, context: LowerContext): void {
  if (exponentOf(node) === 0.5) lowerUnary(node, context, 'sqrt');
  else lowerSquare(node, context);
}

function lowerSquare(node: Node, context: LowerContext): void {
  const { shape } = node.output.fact;
  const layout = context.layoutOf(node, 0);
  const x = context.float(node, 0, layout);
  const geometry = broadcastGeometry(shape, shape, shape, layout)!;
  const out = context.placeFloat(node.output, layout).buffer;
  emitBinary(context, { name: node.name, function: 'multiply', geometry, a: x, b: x, out });
}
