// Shape inference of a whole model, after its inputs were given shapes or its graph was changed.
import { LowpError } from '../errors/lowp-error.ts';
import { setAttributes } from '../graph/edit.ts';
import { inputName, type Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import { inferFacts } from './create-node.ts';
import { getOp } from './registry.ts';

/**
 * Gives inputs their shapes, then infers types, shapes and small known values of all nodes in order.
 * A size that is static in the model must stay as it is unless the input is named in `shapes`.
 *
 * @param shapes  by input name, or by the name of the `Parameter` node
 * @throws {LowpError} `ERR_GRAPH_NAME` for a name that is no input, `ERR_SHAPE_RANK` for another rank, and whatever the
 *   inference of a node throws, which names it
 */
export function inferModel(model: Model, shapes: Readonly<Record<string, Shape>> = {}): void {
  for (const [name, shape] of Object.entries(shapes)) setShape(findInput(model, name), shape);
  for (const node of model.nodes()) {
    const definition = getOp(node.type, node.notes.opset, node.name);
    const inputs = node.inputs.map((i) => i.source?.fact);
    const facts = inferFacts(definition, node.attributes, inputs, node.name);
    for (const [i, fact] of facts.entries()) {
      const port = node.outputs[i];
      if (port) port.fact = fact;
    }
  }
}

/**
 * A copy of the model for other input shapes: another batch, another size of images. -1 makes a dimension dynamic.
 *
 * @param shapes  by input name
 * @throws {LowpError} as {@link inferModel}: the node that cannot be computed with these shapes is named, for example a
 *   Reshape to a constant shape
 */
export function reshape(model: Model, shapes: Readonly<Record<string, Shape>>): Model {
  const copy = model.clone();
  inferModel(copy, shapes);
  return copy;
}

/** @throws {LowpError} `ERR_GRAPH_NAME` */
function findInput(model: Model, name: string): Node {
  const inputs = model.parameters();
  const found = inputs.find((p) => inputName(p) === name || p.name === name || p.output.names.includes(name));
  if (found) return found;
  const known = inputs.map((p) => `'${inputName(p)}'`).join(', ');
  throw new LowpError('ERR_GRAPH_NAME', `the model '${model.name}' has no input '${name}'; its inputs are ${known}`);
}

function setShape(parameter: Node, shape: Shape): void {
  const declared = parameter.output.fact.shape;
  if (declared.length !== shape.length) {
    throw new LowpError(
      'ERR_SHAPE_RANK',
      `input '${inputName(parameter)}' has shape ${formatShape(declared)}, it cannot become ${formatShape(shape)}`,
      { node: parameter.name },
    );
  }
  setAttributes(parameter, { ...parameter.attributes, shape: [...shape] });
}
