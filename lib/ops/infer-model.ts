// Shape inference of a whole model, after its inputs were given shapes or its graph was changed.
import { LowpError } from '../errors/lowp-error.ts';
import { setAttributes } from '../graph/edit.ts';
import { inputName, type Model } from '../graph/model.ts';
import type { Fact, Node, OutputPort } from '../graph/node.ts';
import { formatShape, hasRank, type Shape, sameShape } from '../tensor/shape.ts';
import { inferFacts } from './create-node.ts';
import { getOp } from './registry.ts';

/**
 * Gives inputs their shapes, then infers types, shapes and small known values of all nodes in order.
 * A size that is static in the model must stay as it is unless the input is named in `shapes`.
 *
 * @param shapes  by input name, or by the name of the `Parameter` node
 * @throws {LowpError} `ERR_GRAPH_NAME` for a name that is no input, `ERR_SHAPE_RANK` for another rank,
 *   `ERR_SHAPE_MISMATCH` for a node that would compute something else for these shapes, and whatever the inference of a
 *   node throws; both name the node
 */
export function inferModel(model: Model, shapes: Readonly<Record<string, Shape>> = {}): void {
  const changed = setShapes(model, shapes);
  const before = new Map<OutputPort, Fact>();
  for (const node of model.nodes()) {
    const definition = getOp(node.type, node.notes.opset, node.name);
    const inputs = node.inputs.map((i) => i.source?.fact);
    try {
      if (changed !== undefined && definition.refusesShapes) {
        const old = node.inputs.map((i) => i.source && (before.get(i.source) ?? i.source.fact));
        const reason = definition.refusesShapes(node.attributes, old, inputs);
        if (reason !== undefined)
          throw new LowpError('ERR_SHAPE_MISMATCH', `${node.type} '${node.name}': ${reason}`, { node: node.name });
      }
      const facts = inferFacts(definition, node.attributes, inputs, node.name);
      for (const [i, fact] of facts.entries()) {
        const port = node.outputs[i];
        if (!port) continue;
        if (changed !== undefined) before.set(port, port.fact);
        port.fact = fact;
      }
    } catch (error) {
      if (changed === undefined || !(error instanceof LowpError) || error.help !== undefined) throw error;
      const { code, message, node: at } = error;
      throw new LowpError(code, message, { help: changed, cause: error, ...(at === undefined ? {} : { node: at }) });
    }
  }
}

/** Sets the shapes of inputs; what changed, as advice for who meets an error. */
function setShapes(model: Model, shapes: Readonly<Record<string, Shape>>): string | undefined {
  const changes: string[] = [];
  for (const [name, shape] of Object.entries(shapes)) {
    const input = findInput(model, name);
    const declared = input.output.fact.shape;
    setShape(input, shape);
    if (!sameShape(declared, shape))
      changes.push(
        `input '${name}' has shape ${formatShape(declared)} in the model and is given ${formatShape(shape)}`,
      );
  }
  return changes.length === 0
    ? undefined
    : `${changes.join('; ')}. The graph holds sizes that fit its own shapes only.`;
}

/** Makes the model one for other input shapes; a model that has them stays as it is. Throws like {@link inferModel}. */
export function applyShapes(model: Model, shapes: Readonly<Record<string, Shape>>): void {
  const entries = Object.entries(shapes);
  if (entries.some(([name, shape]) => !sameShape(findInput(model, name).output.fact.shape, shape)))
    inferModel(model, shapes);
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
  if (hasRank(declared) && hasRank(shape) && declared.length !== shape.length) {
    throw new LowpError(
      'ERR_SHAPE_RANK',
      `input '${inputName(parameter)}' has shape ${formatShape(declared)}, it cannot become ${formatShape(shape)}`,
      { node: parameter.name },
    );
  }
  setAttributes(parameter, { ...parameter.attributes, shape: [...shape] });
}
