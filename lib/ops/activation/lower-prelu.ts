// PReLU with constant slopes as native kernel calls.
import { constantOf, type Node } from '../../graph/node.ts';
import { toFloat32 } from '../../tensor/convert.ts';
import type { Shape } from '../../tensor/shape.ts';
import { broadcastGeometry, emitBinary, operandLayout } from '../elementwise/emit-binary.ts';
import { lowerUnary } from '../elementwise/lower-unary.ts';
import type { Layout, LowerContext } from '../lower-context.ts';

/** Constant slopes whose shape, as it meets x, leaves axes that the kernel has. */
export function canLowerPRelu(node: Node, slope: Shape): boolean {
  const { shape } = node.output.fact;
  const fits = (layout: Layout): boolean => broadcastGeometry(shape, shape, slope, layout) !== undefined;
  return constantOf(node.source(1)) !== undefined && fits('plain') && fits('channelsLast');
}

/**
 * One slope: a leaky ReLU. Others: the function of two operands.
 *
 * @param slope  shape of the slopes as it meets x
 */
export function lowerPRelu(node: Node, context: LowerContext, slope: Shape): void {
  const slopes = toFloat32(constantOf(node.source(1))!);
  if (slopes.length === 1) {
    lowerUnary(node, context, 'leakyRelu', slopes[0]!);
    return;
  }
  const { shape } = node.output.fact;
  const layout = context.layoutOf(node, 0);
  emitBinary(context, {
    name: node.name,
    function: 'prelu',
    geometry: broadcastGeometry(shape, shape, slope, layout)!,
    a: context.float(node, 0, layout),
    b: context.float(node, 1, operandLayout(slope, shape.length, layout)),
    out: context.placeFloat(node.output, layout).buffer,
  });
}
