// Fuse Swish: a value weighted with its own logistic function becomes one operation.
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { fuseInto } from './fuse-into.ts';
import { definePass } from './pass.ts';

/**
 * `x · sigmoid(x)` becomes `Swish`. Quantizers then see one activation, as other converters write it, instead of a product
 * whose factors are rounded apart.
 */
export const fuseSwish = definePass({
  name: 'fuse-swish',
  run: (model) => model.nodes().filter((node) => fuse(model, node)).length,
});

function fuse(model: Model, node: Node): boolean {
  if (node.type !== 'Multiply' || node.output.fact.type !== 'f32') return false;
  const [a, b] = [node.source(0), node.source(1)];
  const x = b?.node.type === 'Sigmoid' && b.node.source(0) === a ? a : b;
  const gate = x === a ? b : a;
  if (!x || gate?.node.type !== 'Sigmoid' || gate.node.source(0) !== x) return false;
  return fuseInto(model, node, { type: 'Swish', opset: 'opset4', inputs: [x] });
}
