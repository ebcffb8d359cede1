// Fuse GELU: the small operations that exporters write become one Gelu.
import type { Model } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { sameShape } from '../tensor/shape.ts';
import { addend, isNear, productOf, scalar } from './factors.ts';
import { fuseInto } from './fuse-into.ts';
import { definePass } from './pass.ts';

/**
 * `½ · x · (1 + erf(x / √2))`, and `½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`, become `Gelu`. Factors may stand in
 * any order; the cube may be a Power, products, or `x · (1 + 0.044715 · x²)`. Constants count when they are right to
 * 1e-5: exporters round them.
 */
export const fuseGelu = definePass({
  name: 'fuse-gelu',
  run: (model) => model.nodes().filter((node) => fuse(model, node)).length,
});

function fuse(model: Model, node: Node): boolean {
  if (node.type !== 'Multiply' || node.output.fact.type !== 'f32' || node.output.consumers.size === 0) return false;
  const { factor, ports } = productOf(node.output, true);
  if (!isNear(factor, 0.5) || ports.length !== 2) return false;
  for (const [x, gate] of [ports, [...ports].reverse()] as [OutputPort, OutputPort][]) {
    const mode = gateOf(gate, x);
    // A constant of higher rank gives the result axes that x has not.
    if (!mode || !sameShape(x.fact.shape, node.output.fact.shape)) continue;
    return fuseInto(model, node, {
      type: 'Gelu',
      opset: 'opset7',
      inputs: [x],
      attributes: { approximation_mode: mode },
    });
  }
  return false;
}

/** `1 + erf(x / √2)` or `1 + tanh(…)`. */
function gateOf(gate: OutputPort, x: OutputPort): 'erf' | 'tanh' | undefined {
  const bend = addend(gate, 1);
  const argument = bend?.node.source(0);
  if (!bend || !argument) return undefined;
  if (bend.node.type === 'Erf') {
    const { factor, ports } = productOf(argument, true);
    return isNear(factor, Math.SQRT1_2) && ports.length === 1 && ports[0] === x ? 'erf' : undefined;
  }
  if (bend.node.type !== 'Tanh') return undefined;
  const { factor, ports } = productOf(argument, true);
  return isNear(factor, Math.sqrt(2 / Math.PI)) && isCubicSum(ports, x) ? 'tanh' : undefined;
}

/** The factors multiply to `x + 0.044715 · x³`. */
function isCubicSum(ports: readonly OutputPort[], x: OutputPort): boolean {
  if (ports.length === 2) {
    const other = ports[0] === x ? ports[1]! : ports[1] === x ? ports[0]! : undefined;
    const square = other && addend(other, 1);
    return square !== undefined && isTerm(square, x, 2);
  }
  const sum = ports[0];
  if (ports.length !== 1 || sum?.node.type !== 'Add') return false;
  const [a, b] = [sum.node.source(0), sum.node.source(1)];
  return (a === x && b !== undefined && isTerm(b, x, 3)) || (b === x && a !== undefined && isTerm(a, x, 3));
}

/** `0.044715 · x^degree`. */
function isTerm(port: OutputPort, x: OutputPort, degree: number): boolean {
  const { factor, ports } = productOf(port, true);
  let found = 0;
  for (const p of ports) {
    const exponent = p.node.type === 'Power' && p.node.source(0) === x ? scalar(p.node.source(1)) : undefined;
    if (p === x) found++;
    else if (exponent !== undefined) found += exponent;
    else return false;
  }
  return isNear(factor, 0.044715) && found === degree;
}
