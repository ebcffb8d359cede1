// Where quantizers end up: they move in front of operations that only move values, meet, and become one.
import { connect, removeNode, replaceOutput } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { InputPort, Node } from '../graph/node.ts';
import { isFloat } from '../tensor/element-type.ts';
import type { IgnoredNodes } from './ignored-scope.ts';
import { addQuantizer, insertQuantizers, quantizedSource } from './insert.ts';
import { removeQuantizerGroup } from './remove.ts';
import { consumersOf, isConstant, isQuantizer, type Roles, readsShapeOnly, traitsOf } from './roles.ts';

/**
 * Inserts the quantizers of a device, moves them up and merges them. They have no limits yet.
 *
 * @returns  the quantizers, sorted by name
 */
export function placeQuantizers(
  model: Model,
  roles: Roles,
  ignored: IgnoredNodes,
  options: { readonly quantizeInputs?: boolean } = {},
): Node[] {
  insertQuantizers(model, roles, ignored);
  ascendAll(model, roles, ignored, options.quantizeInputs ?? false);
  mergeSiblings(model);
  for (const quantizer of quantizersOf(model)) {
    const isThere = model.nodeById.has(quantizer.id);
    if (isThere && !isFloat(quantizedSource(quantizer).fact.type)) removeQuantizerGroup(model, quantizer, roles);
  }
  return quantizersOf(model);
}

/** All quantizers, sorted by name. */
export function quantizersOf(model: Model): Node[] {
  return [...model.nodeById.values()].filter(isQuantizer).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function ascendAll(model: Model, roles: Roles, ignored: IgnoredNodes, quantizeInputs: boolean): void {
  const paths = new Paths(roles, ignored);
  const crossed = new Set<Node>();
  const stack = quantizersOf(model).reverse();
  while (stack.length > 0) {
    const quantizer = stack.pop()!;
    const producer = quantizedSource(quantizer).node;
    const isSecond = isQuantizer(producer) || crossed.has(producer);
    if (isSecond || (!quantizeInputs && isPreprocessing(quantizer, producer))) {
      dropQuantizer(model, quantizer);
    } else if (roles.isAgnostic(producer) && paths.mayCross(producer)) {
      crossed.add(producer);
      dropQuantizer(model, quantizer);
      const moved = portsToCross(producer).map((input) => addQuantizer(model, input));
      stack.push(...moved.reverse());
    }
  }
}

/** Connects the consumers of a quantizer to what it rounds, and removes it. */
export function dropQuantizer(model: Model, quantizer: Node): void {
  replaceOutput(quantizer.output, quantizedSource(quantizer));
  removeNode(model, quantizer);
}

/** The quantizer feeds the scale and shift of the model's input: that stays in floating point. */
function isPreprocessing(quantizer: Node, producer: Node): boolean {
  const scale = consumersOf(quantizer)[0]?.node;
  if (producer.type !== 'Parameter' || scale?.type !== 'Multiply') return false;
  return consumersOf(scale)[0]?.node.type === 'Add';
}

function portsToCross(node: Node): InputPort[] {
  const connected = node.inputs.filter((i) => i.source);
  const ascend = traitsOf(node).ascend ?? 'first';
  if (ascend === 'first') return connected.slice(0, 1);
  return ascend === 'all' ? connected : connected.filter((i) => !isConstant(i.source));
}

/** What is read behind a node. */
class Paths {
  private readonly roles: Roles;
  private readonly ignored: IgnoredNodes;

  constructor(roles: Roles, ignored: IgnoredNodes) {
    this.roles = roles;
    this.ignored = ignored;
  }

  /** A quantizer behind `node` may move in front of it: nobody behind it reads its values in floating point. */
  mayCross(node: Node): boolean {
    return !this.ignored.barriers.has(node) && this.isQuantizedBehind(node);
  }

  /** Every path behind the node meets a quantizer before an operation that computes, and at least one path exists. */
  private isQuantizedBehind(node: Node): boolean {
    const visited = new Set<Node>([node]);
    const stack = [node];
    let found = false;
    while (stack.length > 0) {
      for (const { node: consumer } of consumersOf(stack.pop()!)) {
        if (isQuantizer(consumer)) found = true;
        else if (readsShapeOnly(consumer) || visited.has(consumer)) continue;
        else if (!this.roles.isAgnostic(consumer)) return false;
        else {
          visited.add(consumer);
          stack.push(consumer);
        }
      }
    }
    return found;
  }
}

/** Leaves one quantizer for each value: the first by name. */
function mergeSiblings(model: Model): void {
  for (const node of model.nodes()) {
    for (const out of node.outputs) {
      const [first, ...others] = [...out.consumers]
        .filter((c) => isQuantizer(c.node) && c.index === 0)
        .map((c) => c.node)
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const other of others) {
        for (const input of [...other.output.consumers]) connect(input, first!.output);
        removeNode(model, other);
      }
    }
  }
}
