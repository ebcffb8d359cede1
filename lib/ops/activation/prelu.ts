// PReLU: negative elements are multiplied by a slope.
import type { Node } from '../../graph/node.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import type { Shape } from '../../tensor/shape.ts';
import { noAttributes } from '../attribute.ts';
import { expandValues, requireOneWay } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, inputFact } from '../fact.ts';
import { canLowerPRelu, lowerPRelu } from './lower-prelu.ts';

/** The slope's shape as it meets x: a vector with as many elements as x has channels lies on axis 1. */
export function slopeShape(slope: Shape, x: Shape): Shape {
  const channels = x[1];
  if (slope.length !== 1 || channels === undefined || slope[0] !== channels) return slope;
  return [channels, ...new Array<number>(x.length - 2).fill(1)];
}

function infer(_: object, inputs: Facts) {
  const [x, slope] = [inputFact(inputs, 0), inputFact(inputs, 1)];
  requireOneWay(slopeShape(slope.shape, x.shape), x.shape);
  return [{ type: commonType(x, slope), shape: x.shape }];
}

function slopeOf(node: Node): Shape {
  return slopeShape(node.source(1)!.fact.shape, node.source(0)!.fact.shape);
}

/** `x < 0 ? slope · x : x`. */
export const prelu = defineOp({
  type: 'PReLU',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [2, 2],
  infer,
  evaluate: (a, [x, slope]) => {
    infer(a, [x, slope]);
    const slopes = expandValues(toFloat64(slope!), slopeShape(slope!.shape, x!.shape), x!.shape);
    const out = toFloat64(x!);
    for (let i = 0; i < out.length; i++) if (out[i]! < 0) out[i]! *= slopes[i]!;
    return [fromFloat64(out, x!.shape, x!.type)];
  },
  lower: (_, node, context) => lowerPRelu(node, context, slopeOf(node)),
  canLower: (_, node) => canLowerPRelu(node, slopeOf(node)),
  quantization: { quantizedPorts: [0] },
});
