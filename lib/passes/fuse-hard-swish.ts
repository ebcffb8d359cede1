// Fuse hard swish: the small operations that exporters write become one HSigmoid or HSwish.
import type { Model } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { sameShape } from '../tensor/shape.ts';
import { addend, isNear, productOf, scalar } from './factors.ts';
import { fuseInto } from './fuse-into.ts';
import { definePass } from './pass.ts';

/**
 * `clamp(x + 3, 0, 6) / 6`, and HardSigmoid with 1/6 and 1/2, become `HSigmoid`; `x` times one of them becomes `HSwish`,
 * wherever the 6 divides. Quantizers then see one activation instead of sums and products that are rounded apart.
 */
export const fuseHardSwish = definePass({
  name: 'fuse-hard-swish',
  run: (model) => model.nodes().filter((node) => fuse(model, node)).length,
});

function fuse(model: Model, node: Node): boolean {
  if (node.outputs[0]?.fact.type !== 'f32' || node.output.consumers.size === 0) return false;
  if (node.type === 'HardSigmoid') {
    const gate = gateOf(node.output);
    return gate !== undefined && replace(model, node, 'HSigmoid', gate.x);
  }
  if (node.type !== 'Multiply' && node.type !== 'Divide') return false;
  const { factor, ports } = productOf(node.output, true);
  if (ports.length === 1) {
    const gate = gateOf(ports[0]!);
    return gate !== undefined && isNear(factor * gate.factor, 1) && replace(model, node, 'HSigmoid', gate.x);
  }
  if (ports.length !== 2) return false;
  for (const [x, other] of [ports, [...ports].reverse()] as [OutputPort, OutputPort][]) {
    const gate = gateOf(other);
    if (gate?.x === x && isNear(factor * gate.factor, 1)) return replace(model, node, 'HSwish', x);
  }
  return false;
}

/** The port is `factor · hsigmoid(x)`. */
function gateOf(port: OutputPort): { readonly x: OutputPort; readonly factor: number } | undefined {
  const { node } = port;
  const source = node.source(0);
  if (!source) return undefined;
  if (node.type === 'HSigmoid') return { x: source, factor: 1 };
  if (node.type === 'HardSigmoid') {
    const [alpha, beta] = [scalar(node.source(1)), scalar(node.source(2))];
    return alpha !== undefined && isNear(alpha, 1 / 6) && beta === 0.5 ? { x: source, factor: 1 } : undefined;
  }
  const x = node.type === 'Clamp' && node.attributes.min === 0 && node.attributes.max === 6 && addend(source, 3);
  return x ? { x, factor: 6 } : undefined;
}

function replace(model: Model, node: Node, type: 'HSigmoid' | 'HSwish', x: OutputPort): boolean {
  // A constant of higher rank gives the result axes that x has not.
  if (!sameShape(x.fact.shape, node.output.fact.shape)) return false;
  return fuseInto(model, node, { type, opset: type === 'HSwish' ? 'opset4' : 'opset5', inputs: [x] });
}
