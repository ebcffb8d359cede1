// PReLU with constant slopes as native kernel calls.
import { constantOf, type Node } from '../../graph/node.ts';
import { toFloat32 } from '../../tensor/convert.ts';
import { elementCount, type Shape } from '../../tensor/shape.ts';
import { type BroadcastGeometry, broadcastGeometry, emitBinary, operandLayout } from '../elementwise/emit-binary.ts';
import { lowerUnary } from '../elementwise/lower-unary.ts';
import type { Layout, LowerContext } from '../lower-context.ts';

/** Constant slopes whose shape, as it meets x, leaves axes that the kernel has. */
export function canLowerPRelu(node: Node, slope: Shape): boolean {
  const { shape } = node.output.fact;
  const fits = (layout: Layout): boolean => broadcastGeometry(shape, shape, slope, layout) !== undefined;
  return constantOf(node.source(1)) !== undefined && fits('plain') && fits('channelsLast');
}

/**
 * One slope: a leaky ReLU. Slopes in [0, 1]: `max(x · slope, x)`. Others: `max(x, 0) + min(x, 0) · slope`.
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
  const x = context.float(node, 0, layout);
  const factors = context.float(node, 1, operandLayout(slope, shape.length, layout));
  const scaled = broadcastGeometry(shape, shape, slope, layout)!;
  const dense = broadcastGeometry(shape, shape, shape, layout)!;
  const elements = elementCount(shape);
  const temporary = (): number => context.builder.temporary('f32', elements);
  const binary = (
    name: 'multiply' | 'maximum' | 'add',
    geometry: BroadcastGeometry,
    a: number,
    b: number,
    to: number,
  ) => emitBinary(context, { name: node.name, function: name, geometry, a, b, out: to });
  const product = temporary();
  if (slopes.every((s) => s >= 0 && s <= 1)) {
    binary('multiply', scaled, x, factors, product);
    binary('maximum', dense, product, x, context.placeFloat(node.output, layout).buffer);
    return;
  }
  const clamp = (alpha: number, beta: number): number => {
    const to = temporary();
    context.builder.call('unary', { op: 0, elements, alpha, beta }, { name: node.name, in: [x], out: [to] });
    return to;
  };
  binary('multiply', scaled, clamp(Number.NEGATIVE_INFINITY, 0), factors, product);
  const positive = clamp(0, Number.POSITIVE_INFINITY);
  binary('add', dense, positive, product, context.placeFloat(node.output, layout).buffer);
}
