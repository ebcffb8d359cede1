// What an operation is for quantization on one device: read from the device's table and the operation's own traits.
import type { InputPort, Node, OutputPort } from '../graph/node.ts';
import type { QuantTraits } from '../ops/define-op.ts';
import { findOp } from '../ops/registry.ts';
import { type OperationRow, rowOf, type TargetDescription } from '../targets/target.ts';

/** The node type that rounds to a grid. */
export const quantizerType = 'FakeQuantize';

/** Answers questions about nodes for one device. */
export interface Roles {
  readonly target: TargetDescription;
  row(node: Node): OperationRow | undefined;
  /** Moves values only; quantizers behind it may move in front of it. */
  isAgnostic(node: Node): boolean;
  /** Runs on quantized inputs. */
  isQuantizable(node: Node): boolean;
}

export function rolesFor(target: TargetDescription): Roles {
  const row = (node: Node): OperationRow | undefined => rowOf(target, hardwareType(node));
  const isAgnostic = (node: Node): boolean => row(node)?.agnostic === true;
  const isQuantizable = (node: Node): boolean => {
    const found = row(node);
    return found !== undefined && !found.agnostic && traitsOf(node).quantizedPorts !== undefined;
  };
  return { target, row, isAgnostic, isQuantizable };
}

const noTraits: QuantTraits = {};

export function traitsOf(node: Node): QuantTraits {
  return findOp(node.type, node.notes.opset)?.quantization ?? noTraits;
}

/** The type under which the device's table lists the node. */
export function hardwareType(node: Node): string {
  return traitsOf(node).hardwareType?.(node) ?? node.type;
}

export function isQuantizer(node: Node): boolean {
  return node.type === quantizerType;
}

export function isConstant(port: OutputPort | undefined): boolean {
  return port?.node.type === 'Constant';
}

/** The value is known before the model runs, but computed by operations: shape arithmetic. */
export function isComputedConstant(port: OutputPort): boolean {
  return port.node.type !== 'Constant' && !isQuantizer(port.node) && port.fact.value !== undefined;
}

/** Consumers of all outputs, in the order of outputs. */
export function consumersOf(node: Node): InputPort[] {
  return node.outputs.flatMap((out) => [...out.consumers]);
}

/** Reads only the shape of its input, so it does not matter whether that is quantized. */
export function readsShapeOnly(node: Node): boolean {
  return node.type === 'ShapeOf';
}

/**
 * Computed from shapes alone. Such a number says how large one sample is, and nothing about the next one: a range that was
 * observed would not hold it.
 */
export function isShapeArithmetic(port: OutputPort): boolean {
  const visited = new Set<OutputPort>();
  const stack = [port];
  let found = false;
  while (stack.length > 0) {
    const next = stack.pop()!;
    if (visited.has(next) || isConstant(next)) continue;
    visited.add(next);
    if (readsShapeOnly(next.node)) {
      found = true;
      continue;
    }
    const sources = next.node.inputs.flatMap((i) => i.source ?? []);
    if (sources.length === 0) return false;
    stack.push(...sources);
  }
  return found;
}

/** The nodes whose formats decide that of a quantizer: the first ones behind it that are not agnostic, in breadth-first order. */
export function decidingConsumers(quantizer: Node, roles: Roles): InputPort[] {
  const deciding: InputPort[] = [];
  const visited = new Set<Node>();
  const queue = consumersOf(quantizer);
  for (let i = 0; i < queue.length; i++) {
    const input = queue[i]!;
    if (!roles.isAgnostic(input.node)) deciding.push(input);
    else if (!visited.has(input.node)) {
      visited.add(input.node);
      queue.push(...consumersOf(input.node));
    }
  }
  return deciding;
}
