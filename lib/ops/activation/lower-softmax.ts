// SoftMax as a native kernel call.
import type { Node } from '../../graph/node.ts';
import { viewAround } from '../axes.ts';
import type { LowerContext } from '../lower-context.ts';

/** Emits the exponentials along one axis, divided by their sum. */
export function lowerSoftMax(a: { readonly axis: number }, node: Node, context: LowerContext): void {
  const { outer, size, inner } = viewAround(node.output.fact.shape, a.axis);
  const input = context.float(node, 0, 'plain');
  const place = context.placeFloat(node.output, 'plain');
  context.builder.call('softmax', { outer, axis: size, inner }, { name: node.name, in: [input], out: [place.buffer] });
}
