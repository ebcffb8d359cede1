// Fuse layer normalization: the small operations that exporters write become one MVN.
import { addConstant } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import { constantOf, type Node, type OutputPort } from '../graph/node.ts';
import { toFloat32, toIntegers } from '../tensor/convert.ts';
import { normalizeAxis } from '../tensor/shape.ts';
import { tensor } from '../tensor/tensor.ts';
import { fuseInto } from './fuse-into.ts';
import { definePass } from './pass.ts';

/**
 * `(x − mean) / √(mean((x − mean)²) + eps)` over constant axes becomes `MVN` with epsilon inside the root. The square may
 * be a Power, a Multiply or a SquaredDifference; the root a Sqrt or a Power of ½; the division a Divide, or a Multiply by
 * the inverse as a Divide of 1 or a Power of −½. Values in between that others read stay where they are.
 */
export const fuseLayerNorm = definePass({
  name: 'fuse-layer-norm',
  run: (model) => model.nodes().filter((node) => fuse(model, node)).length,
});

interface Found {
  readonly x: OutputPort;
  readonly axes: readonly number[];
  readonly eps: number;
}

function fuse(model: Model, node: Node): boolean {
  const { fact, consumers } = node.output ?? {};
  if (fact?.type !== 'f32' || consumers?.size === 0) return false;
  const found = matchQuotient(node);
  if (!found) return false;
  const axes = addConstant(model, `${node.name}/axes`, tensor('i64', [found.axes.length], found.axes));
  return fuseInto(model, node, {
    type: 'MVN',
    opset: 'opset6',
    inputs: [found.x, axes.output],
    attributes: { normalize_variance: true, eps: found.eps, eps_mode: 'inside_sqrt' },
  });
}

function matchQuotient(node: Node): Found | undefined {
  if (node.type === 'Divide') {
    const variance = rootOf(node.source(1), 0.5);
    return variance && matchCentred(node.source(0), variance);
  }
  if (node.type !== 'Multiply') return undefined;
  for (const [centred, inverse] of [
    [node.source(0), node.source(1)],
    [node.source(1), node.source(0)],
  ]) {
    const isInverted = inverse?.node.type === 'Divide' && scalar(inverse.node.source(0)) === 1;
    const variance = isInverted ? rootOf(inverse.node.source(1), 0.5) : rootOf(inverse, -0.5);
    const found = variance && matchCentred(centred, variance);
    if (found) return found;
  }
  return undefined;
}

/** What a port is the given power of. */
function rootOf(port: OutputPort | undefined, exponent: number): OutputPort | undefined {
  if (!port) return undefined;
  if (port.node.type === 'Sqrt' && exponent === 0.5) return port.node.source(0);
  return port.node.type === 'Power' && scalar(port.node.source(1)) === exponent ? port.node.source(0) : undefined;
}

function matchCentred(centred: OutputPort | undefined, sum: OutputPort): Found | undefined {
  if (sum.node.type !== 'Add') return undefined;
  const eps = scalar(sum.node.source(1)) ?? scalar(sum.node.source(0));
  const variance = sum.node.source(scalar(sum.node.source(1)) === undefined ? 1 : 0);
  const square = variance && meanOf(variance);
  const parts = centred && differenceOf(centred.node);
  if (eps === undefined || !square || !parts) return undefined;
  const same = isSquareOf(square.of.node, parts) && sameAxes(square.axes, parts.axes);
  return same ? { x: parts.x, axes: parts.axes, eps } : undefined;
}

/** `x − mean(x)`. */
interface Difference {
  readonly x: OutputPort;
  readonly axes: readonly number[];
}

function differenceOf(node: Node): Difference | undefined {
  if (node.type !== 'Subtract') return undefined;
  const x = node.source(0);
  const mean = node.source(1) && meanOf(node.source(1)!);
  return x && mean?.of === x ? { x, axes: mean.axes } : undefined;
}

function isSquareOf(node: Node, parts: Difference): boolean {
  const isDifference = (port: OutputPort | undefined): boolean => {
    const own = port && differenceOf(port.node);
    return own?.x === parts.x && sameAxes(own.axes, parts.axes);
  };
  if (node.type === 'Power') return scalar(node.source(1)) === 2 && isDifference(node.source(0));
  if (node.type === 'Multiply') return isDifference(node.source(0)) && isDifference(node.source(1));
  if (node.type !== 'SquaredDifference') return false;
  const [a, b] = [node.source(0), node.source(1)];
  const isPair = (x: OutputPort | undefined, mean: OutputPort | undefined): boolean => {
    const found = mean && meanOf(mean);
    return x === parts.x && found?.of === x && sameAxes(found.axes, parts.axes);
  };
  return isPair(a, b) || isPair(b, a);
}

/** What a port is the mean of, and over which axes, which it keeps with size 1. */
function meanOf(port: OutputPort): { of: OutputPort; axes: readonly number[] } | undefined {
  const { node } = port;
  const of = node.source(0);
  const list = constantOf(node.source(1));
  if (node.type !== 'ReduceMean' || !of || !list || node.attributes.keep_dims !== true) return undefined;
  const axes = toIntegers(list).map((a) => normalizeAxis(a, of.fact.shape.length));
  return axes.length > 0 ? { of, axes: axes.sort((a, b) => a - b) } : undefined;
}

function sameAxes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

/** The number that a constant holds. */
function scalar(port: OutputPort | undefined): number | undefined {
  const value = constantOf(port);
  return value?.type === 'f32' && value.data.length === 1 ? toFloat32(value)[0] : undefined;
}
