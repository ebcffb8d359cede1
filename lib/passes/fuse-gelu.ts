// Fuse GELU: the small operations that exporters write become one Gelu.
import { addNode } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import { constantOf, type Node, type OutputPort } from '../graph/node.ts';
import { takeOver } from '../graph/take-over.ts';
import { toFloat32 } from '../tensor/convert.ts';
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
    if (!mode) continue;
    const gelu = addNode(model, {
      type: 'Gelu',
      name: `${node.name}/Gelu`,
      attributes: { approximation_mode: mode },
      inputs: [x],
      outputs: [node.output.fact],
      notes: { opset: 'opset7' },
    });
    takeOver(node.output, gelu.output);
    return true;
  }
  return false;
}

/** `1 + erf(x / √2)` or `1 + tanh(…)`. */
function gateOf(gate: OutputPort, x: OutputPort): 'erf' | 'tanh' | undefined {
  const bend = plusOne(gate);
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
    const square = other && plusOne(other);
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

/** What 1 is added to. */
function plusOne(port: OutputPort): OutputPort | undefined {
  if (port.node.type !== 'Add') return undefined;
  const [a, b] = [port.node.source(0), port.node.source(1)];
  if (scalar(b) === 1) return a;
  return scalar(a) === 1 ? b : undefined;
}

/** A tree of products and divisions by numbers as one number and the computed factors. */
function productOf(port: OutputPort, isRoot: boolean): { factor: number; ports: OutputPort[] } {
  const known = scalar(port);
  if (known !== undefined) return { factor: known, ports: [] };
  const { node } = port;
  const [a, b] = [node.source(0), node.source(1)];
  const isTree = isRoot || port.consumers.size === 1;
  if (isTree && node.type === 'Multiply' && a && b) {
    const [left, right] = [productOf(a, false), productOf(b, false)];
    return { factor: left.factor * right.factor, ports: [...left.ports, ...right.ports] };
  }
  const divisor = isTree && node.type === 'Divide' ? scalar(b) : undefined;
  if (divisor !== undefined && divisor !== 0 && a) {
    const { factor, ports } = productOf(a, false);
    return { factor: factor / divisor, ports };
  }
  return { factor: 1, ports: [port] };
}

/** The number that a constant holds. */
function scalar(port: OutputPort | undefined): number | undefined {
  const value = constantOf(port);
  return value?.type === 'f32' && value.data.length === 1 ? toFloat32(value)[0] : undefined;
}

function isNear(value: number, wanted: number): boolean {
  return Math.abs(value - wanted) <= 1e-5 * Math.abs(wanted);
}
