// SoftMax as a native kernel call.
import type { Node } from '../../graph/node.ts';
import { normalizeAxis } from '../../tensor/shape.ts';
import { viewAround } from '../axes.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { LowerContext } from '../lower-context.ts';
import { storingParams } from '../quantization/grid.ts';

/** Bytes are stored along the last axis only. */
export function softMaxRuntime(a: { readonly axis: number }, node: Node): RuntimeTraits {
  const rank = node.output.fact.shape.length;
  const isLast = normalizeAxis(a.axis, rank) === rank - 1;
  return { bytes: 'never', epilogue: isLast ? 'store' : 'none', storesBytes: isLast };
}

/** Emits the exponentials along one axis, divided by their sum, as floats or rounded to bytes. */
export function lowerSoftMax(a: { readonly axis: number }, node: Node, context: LowerContext): void {
  const { outer, size, inner } = viewAround(node.output.fact.shape, a.axis);
  const input = context.float(node, 0, 'plain');
  const { port, format } = context.tail(node);
  const place = format ? context.placeQuantized(port, 'plain', format) : context.placeFloat(port, 'plain');
  context.builder.call(
    'softmax',
    { outer, axis: size, inner, ...(format ? storingParams(format) : {}) },
    { name: node.name, in: [input], out: [place.buffer] },
  );
}
