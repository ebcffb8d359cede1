// Select: takes each element from one of two operands.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { fromFloat64 } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';
import type { Shape } from '../../tensor/shape.ts';
import { autoBroadcast } from '../attribute.ts';
import { broadcastBy, expandTensor, requireOneWay } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { commonType, type Facts, inputFact } from '../fact.ts';
import type { Layout, LowerContext } from '../lower-context.ts';
import { selectParams } from './emit-binary.ts';

const attributes = z.object({ auto_broadcast: autoBroadcast });

function infer(a: z.infer<typeof attributes>, inputs: Facts) {
  const [condition, x, y] = [inputFact(inputs, 0), inputFact(inputs, 1), inputFact(inputs, 2)];
  if (condition.type !== 'boolean') {
    throw new LowpError('ERR_TYPE_MISMATCH', `the condition has type ${condition.type}, expected boolean`);
  }
  const shape = broadcastBy(a, x.shape, y.shape);
  if (a.auto_broadcast !== 'numpy') {
    requireOneWay(condition.shape, shape);
    return [{ type: commonType(x, y), shape }];
  }
  return [{ type: commonType(x, y), shape: broadcastBy(a, condition.shape, shape) }];
}

const chosen: readonly ElementType[] = ['f32', 'i32', 'i64', 'boolean'];

function paramsOf(node: Node, layout: Layout) {
  const shapes = [0, 1, 2].map((i) => node.source(i)!.fact.shape) as [Shape, Shape, Shape];
  return selectParams(node.output.fact.shape, shapes, layout);
}

function lowerSelect(node: Node, context: LowerContext): void {
  const layout = 'plain';
  const inputs = [0, 1, 2].map((i) => context.elements(node, i, layout));
  const out = [context.place(node.output, layout)];
  context.builder.call('select', paramsOf(node, layout)!, { name: node.name, in: inputs, out });
}

/** `condition ? x : y` for each element; the three inputs broadcast. */
export const select = defineOp({
  type: 'Select',
  opset: 'opset1',
  attributes,
  inputs: [3, 3],
  infer,
  evaluate: (a, [condition, x, y]) => {
    const { type, shape } = infer(a, [condition, x, y])[0]!;
    const [c, u, v] = [expandTensor(condition!, shape), expandTensor(x!, shape), expandTensor(y!, shape)];
    const out = new Float64Array(c.length);
    for (let i = 0; i < out.length; i++) out[i] = c[i] === 0 ? v[i]! : u[i]!;
    return [fromFloat64(out, shape, type)];
  },
  lower: (_, node, context) => lowerSelect(node, context),
  canLower: (_, node) => paramsOf(node, 'plain') !== undefined,
  runtime: { bytes: 'never', epilogue: 'none', types: { inputs: [['boolean'], chosen], outputs: [chosen] } },
});
