// Where quantizers end up: they move in front of operations that only move values, meet, and become one.
import { connect, removeNode, replaceOutput } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { InputPort, Node, OutputPort } from '../graph/node.ts';
import { isFloat } from '../tensor/element-type.ts';
import { channelsOfWeights } from './channels.ts';
import { freeSums } from './free-sums.ts';
import type { IgnoredNodes } from './ignored-scope.ts';
import { addQuantizer, insertQuantizers, type Origins, originOfInput, quantizedSource } from './insert.ts';
import { takeOutputName } from './output-names.ts';
import { removeQuantizerGroup } from './remove.ts';
import {
  consumersOf,
  isConstant,
  isQuantizer,
  isShapeArithmetic,
  type Roles,
  readsShapeOnly,
  traitsOf,
} from './roles.ts';

/** Quantizers in a model, without limits. */
export interface Placement {
  /** Sorted by name. */
  readonly quantizers: readonly Node[];
  /** Those whose format the producer of the value decides, and not its readers. */
  readonly outputs: ReadonlySet<Node>;
}

export interface PlacementOptions {
  /** Also quantize an input of the model that is scaled and shifted first. */
  readonly quantizeInputs?: boolean;
}

/** Inserts the quantizers of a device, moves them up and merges them; outputs of the model keep their names. */
export function placeQuantizers(
  model: Model,
  roles: Roles,
  ignored: IgnoredNodes,
  options: PlacementOptions = {},
): Placement {
  const origins = insertQuantizers(model, roles, ignored);
  ascendAll({ model, roles, ignored, origins, quantizeInputs: options.quantizeInputs ?? false });
  mergeSiblings(model);
  for (const quantizer of quantizersOf(model)) {
    const isThere = model.nodeById.has(quantizer.id);
    if (!isThere) continue;
    const source = quantizedSource(quantizer);
    if (!isFloat(source.fact.type) || isShapeArithmetic(source)) removeQuantizerGroup(model, quantizer, roles);
  }
  for (const quantizer of quantizersOf(model)) takeOutputName(model, quantizer);
  if (roles.target.fusesSums) freeSums(model);
  const quantizers = quantizersOf(model);
  return { quantizers, outputs: new Set(quantizers.filter((q) => origins.get(q)?.isOutput)) };
}

/** All quantizers, sorted by name. */
export function quantizersOf(model: Model): Node[] {
  return [...model.nodeById.values()].filter(isQuantizer).sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Ascent {
  readonly model: Model;
  readonly roles: Roles;
  readonly ignored: IgnoredNodes;
  readonly origins: Origins;
  readonly quantizeInputs: boolean;
}

function ascendAll({ model, roles, ignored, origins, quantizeInputs }: Ascent): void {
  const paths = new Paths(roles, ignored);
  const crossed = new Set<Node>();
  const stack = quantizersOf(model).reverse();
  while (stack.length > 0) {
    const quantizer = stack.pop()!;
    const producer = quantizedSource(quantizer).node;
    if (isQuantizer(producer)) join(quantizer, producer, origins);
    const isSecond = isQuantizer(producer) || crossed.has(producer);
    if (isSecond || (!quantizeInputs && isPreprocessing(quantizer, producer))) {
      dropQuantizer(model, quantizer);
    } else if (roles.isAgnostic(producer) && paths.mayCross(producer)) {
      crossed.add(producer);
      dropQuantizer(model, quantizer);
      const moved = portsToCross(producer).map((input) => addQuantizer(model, input));
      for (const node of moved) origins.set(node, originOfInput(producer, roles));
      stack.push(...moved.reverse());
    }
  }
}

/** One quantizer directly behind another: the stronger origin decides. */
function join(lower: Node, upper: Node, origins: Origins): void {
  const [below, above] = [origins.get(lower), origins.get(upper)];
  if (below && above && below.priority > above.priority) origins.set(upper, below);
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

/** The value comes from outside: an input of the model, or its state. */
function isGiven({ node }: OutputPort): boolean {
  return node.type === 'Parameter' || node.type === 'ReadValue';
}

/** What is read behind a node. */
class Paths {
  private readonly roles: Roles;
  private readonly ignored: IgnoredNodes;

  constructor(roles: Roles, ignored: IgnoredNodes) {
    this.roles = roles;
    this.ignored = ignored;
  }

  /**
   * A quantizer behind `node` may move in front of it: nobody behind it reads its values in floating point. In front of a
   * selection its range is that of the whole value, which must be worth it: every reader of the value is quantized, and the
   * value is computed, or its parts are joined again and share a range all the same. A state that holds hidden values and
   * cells side by side has no range for both, and an input is in floats wherever it is rounded.
   */
  mayCross(node: Node): boolean {
    if (this.ignored.barriers.has(node) || this.readAs(consumersOf(node), node) !== 'bytes') return false;
    const from = traitsOf(node).selects ? node.source(0) : undefined;
    if (!from || isConstant(from)) return true;
    const isPart = isGiven(from) && from.consumers.size > 1;
    return (!isPart || this.isJoined(node)) && this.readAs([...from.consumers], node) !== 'floats';
  }

  /** What the node gives meets other values in an operation that asks for one range. */
  private isJoined(node: Node): boolean {
    const visited = new Set<Node>([node]);
    const stack = [...consumersOf(node)];
    while (stack.length > 0) {
      const { node: consumer } = stack.pop()!;
      if (traitsOf(consumer).unifiesScales) return true;
      if (visited.has(consumer) || !(isQuantizer(consumer) || this.roles.isAgnostic(consumer))) continue;
      visited.add(consumer);
      stack.push(...consumersOf(consumer));
    }
    return false;
  }

  /** `bytes` when every path meets a quantizer before an operation that computes, `none` when there is no path. */
  private readAs(readers: readonly InputPort[], seen: Node): 'bytes' | 'floats' | 'none' {
    const visited = new Set<Node>([seen]);
    const stack = [readers];
    let found = false;
    while (stack.length > 0) {
      for (const { node: consumer } of stack.pop()!) {
        if (isQuantizer(consumer)) found = true;
        else if (readsShapeOnly(consumer) || visited.has(consumer)) continue;
        else if (!this.roles.isAgnostic(consumer)) return 'floats';
        else {
          visited.add(consumer);
          stack.push(consumersOf(consumer));
        }
      }
    }
    return found ? 'bytes' : 'none';
  }
}

/**
 * Leaves one quantizer for each value: the first by name. Constants keep one for each way in which their readers split them
 * into channels.
 */
function mergeSiblings(model: Model): void {
  for (const node of model.nodes()) {
    for (const out of node.outputs) {
      const siblings = [...out.consumers]
        .filter((c) => isQuantizer(c.node) && c.index === 0)
        .map((c) => c.node)
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const first = new Map<string, Node>();
      for (const quantizer of siblings) {
        const key = isConstant(out) ? channelsOfWeights(quantizer).limitShape.join() : '';
        const kept = first.get(key);
        if (kept) mergeInto(model, quantizer, kept);
        else first.set(key, quantizer);
      }
    }
  }
}

function mergeInto(model: Model, quantizer: Node, kept: Node): void {
  for (const input of [...quantizer.output.consumers]) connect(input, kept.output);
  removeNode(model, quantizer);
}
