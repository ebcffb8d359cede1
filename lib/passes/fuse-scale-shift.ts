// Fuse scale and shift: neighbouring additions, and neighbouring multiplications, of constants become one.
import { addConstant, connect } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import { any, commutative, constant, type Match } from '../graph/pattern.ts';
import { expandTensor } from '../ops/broadcast.ts';
import { fromFloat64 } from '../tensor/convert.ts';
import { broadcastShapes, elementCount } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { defineRewrite, type Pass, repeatPasses } from './pass.ts';

/** `(x ∘ a) ∘ b → x ∘ (a ∘ b)` for one operation on f32 that may be regrouped. */
function merge(type: 'Add' | 'Multiply', combine: (a: number, b: number) => number): Pass {
  const inner = commutative(type, any().as('x'), constant().as('a')).where((n) => n.source(0) !== n.source(1));
  return defineRewrite({
    name: `fuse-scale-shift-${type.toLowerCase()}`,
    pattern: commutative(type, inner.single().as('inner'), constant().as('b')),
    rewrite: (match, model) => mergeAt(match, model, combine),
  });
}

function mergeAt(match: Match, model: Model, combine: (a: number, b: number) => number): boolean {
  const [a, b, x] = [match.value('a'), match.value('b'), match.port('x')];
  const inner = match.node('inner');
  if (a.type !== 'f32' || b.type !== 'f32' || dependsOnConstants(x.node.type)) return false;
  if (!numpy(inner.attributes) || !numpy(match.root.attributes)) return false;
  const shape = broadcastShapes(a.shape, b.shape);
  if (elementCount(shape) > Math.max(elementCount(a.shape), elementCount(b.shape))) return false;
  const values = expandTensor(a, shape);
  const others = expandTensor(b, shape);
  if (match.root.type === 'Add' && (values.some(isLarge) || others.some(isLarge))) return false;
  for (let i = 0; i < values.length; i++) values[i] = combine(values[i]!, others[i]!);
  const value: Tensor = fromFloat64(values, shape, 'f32');
  const merged = addConstant(model, match.node('b').name, value);
  const position = match.root.source(0) === match.port('b') ? 0 : 1;
  connect(match.root.inputs[position]!, merged.output);
  connect(match.root.inputs[1 - position]!, x);
  return true;
}

/** Chains on constants are how quantized weights are stored; they are left alone. */
function dependsOnConstants(type: string): boolean {
  return type === 'Constant' || type === 'Convert' || type === 'Subtract';
}

/** From here on an added number takes fractions away from what it is added to, which may be its purpose. */
const swallowsFractions = 2 ** 20;

function isLarge(value: number): boolean {
  return Math.abs(value) >= swallowsFractions;
}

function numpy(attributes: Readonly<Record<string, unknown>>): boolean {
  return attributes.auto_broadcast === undefined || attributes.auto_broadcast === 'numpy';
}

/** Both kinds, until nothing is left to merge. */
export const fuseScaleShift = repeatPasses('fuse-scale-shift', [
  merge('Add', (a, b) => a + b),
  merge('Multiply', (a, b) => a * b),
]);
