// Reading input facts: presence, types, and integer values that shapes depend on.
import { LowpError } from '../errors/lowp-error.ts';
import type { Fact, Node } from '../graph/node.ts';
import { toIntegers } from '../tensor/convert.ts';
import type { ElementType } from '../tensor/element-type.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type Facts = readonly (Fact | undefined)[];

/**
 * The fact of a required input.
 *
 * @throws {LowpError} `ERR_OP_INPUTS` when it is not connected
 */
export function inputFact(inputs: Facts, index: number): Fact {
  const fact = inputs[index];
  if (!fact) throw new LowpError('ERR_OP_INPUTS', `input ${index} is not connected`);
  return fact;
}

/** What is known about a tensor that exists: everything. */
export function factOf(value: Tensor): Fact {
  return { type: value.type, shape: value.shape, value };
}

export function factsOf(inputs: readonly (Tensor | undefined)[]): Facts {
  return inputs.map((t) => t && factOf(t));
}

/** What is known about the inputs of a node. */
export function factsOfNode(node: Node): Facts {
  return node.inputs.map((input) => input.source?.fact);
}

/** The integers of an input when its value is known. */
export function knownIntegers(fact: Fact | undefined): number[] | undefined {
  return fact?.value && toIntegers(fact.value);
}

/**
 * The integers of an input on which the rank of the output depends.
 *
 * @throws {LowpError} `ERR_SHAPE_DYNAMIC` when the value is computed at run time
 */
export function requiredIntegers(inputs: Facts, index: number, meaning: string): number[] {
  const values = knownIntegers(inputFact(inputs, index));
  if (values) return values;
  throw new LowpError('ERR_SHAPE_DYNAMIC', `the ${meaning} (input ${index}) must be constant`, {
    help: 'Give every input a static shape, so that the value can be computed while the model is read.',
  });
}

/**
 * The common element type of some inputs.
 *
 * @throws {LowpError} `ERR_TYPE_MISMATCH`
 */
export function commonType(...facts: readonly Fact[]): ElementType {
  const type = facts[0]!.type;
  for (const fact of facts) {
    if (fact.type !== type) throw new LowpError('ERR_TYPE_MISMATCH', `inputs have the types ${type} and ${fact.type}`);
  }
  return type;
}

/**
 * A shape of `rank` dimensions is required.
 *
 * @throws {LowpError} `ERR_SHAPE_RANK`
 */
export function requireRank(shape: Shape, least: number, most = least, what = 'the input'): void {
  if (shape.length >= least && shape.length <= most) return;
  const expected = least === most ? `${least}` : `${least} to ${most}`;
  throw new LowpError('ERR_SHAPE_RANK', `${what} has rank ${shape.length}, expected ${expected}`);
}

/** Two sizes that must be equal, either of them dynamic. Returns the one that is known. */
export function mergeSizes(a: number, b: number, what: string): number {
  if (a >= 0 && b >= 0 && a !== b) throw new LowpError('ERR_SHAPE_MISMATCH', `${what}: ${a} and ${b}`);
  return Math.max(a, b);
}
