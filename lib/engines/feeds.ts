// What users feed to a model, checked once for all engines.
import { LowpError } from '../errors/lowp-error.ts';
import { inputName, type Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import type { ElementType } from '../tensor/element-type.ts';
import { formatShape, isWithin, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { ownValue } from '../util/own-value.ts';
import type { Feeds } from './engine.ts';

/** The tensor fed to a parameter, by its tensor name or its node name. */
export function feedOf(parameter: Node, feeds: Feeds): Tensor | undefined {
  return ownValue(feeds, inputName(parameter)) ?? ownValue(feeds, parameter.name);
}

/**
 * Every input is fed, with its type and a shape that fits the declared one or the one given at compilation.
 *
 * @param types  element types to expect instead of the model's own
 * @throws {LowpError} `ERR_RUN_INPUT`
 */
export function checkFeeds(
  model: Model,
  feeds: Feeds,
  shapes: Readonly<Record<string, Shape>>,
  types: ReadonlyMap<Node, ElementType> = new Map(),
): void {
  const known = new Set(model.parameters().flatMap((p) => [inputName(p), p.name]));
  const unknown = Object.keys(feeds).find((name) => !known.has(name));
  const names = model.parameters().map((p) => `'${inputName(p)}'`);
  if (unknown !== undefined) {
    throw new LowpError('ERR_RUN_INPUT', `the model has no input '${unknown}'; its inputs are ${names.join(', ')}`);
  }
  for (const parameter of model.parameters()) {
    const name = inputName(parameter);
    const fed = feedOf(parameter, feeds);
    if (!fed) throw new LowpError('ERR_RUN_INPUT', `input '${name}' is not fed`, { node: parameter.name });
    const type = types.get(parameter) ?? parameter.output.fact.type;
    const shape = ownValue(shapes, name) ?? ownValue(shapes, parameter.name) ?? parameter.output.fact.shape;
    if (fed.type === type && isWithin(fed.shape, shape)) continue;
    const [expected, got] = [`${type}${formatShape(shape)}`, `${fed.type}${formatShape(fed.shape)}`];
    throw new LowpError('ERR_RUN_INPUT', `input '${name}' takes ${expected}, it was fed ${got}`, {
      node: parameter.name,
    });
  }
}

/** Shapes by input name. */
export function shapesOf(feeds: Feeds): Record<string, Shape> {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, tensor.shape]));
}
