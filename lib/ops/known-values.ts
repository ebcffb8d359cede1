// Values that follow from constants alone: what shape arithmetic and limits behind a Convert need at load time.
import { LowpError } from '../errors/lowp-error.ts';
import type { Fact } from '../graph/node.ts';
import { isFloat } from '../tensor/element-type.ts';
import { isStatic, spannedElements } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { OpDef } from './define-op.ts';

/** Largest value kept in a fact: shapes, axes and indices on one side, limits per channel on the other. */
const mostIntegers = 65536;
const mostFloats = 4096;

/** What an operation's own evaluation says when it cannot do this form: its value stays unknown. */
const unsupported = new Set(['ERR_OP_UNSUPPORTED', 'ERR_TYPE_UNSUPPORTED', 'ERR_SHAPE_DYNAMIC']);

/**
 * The facts with `value` filled in, when all inputs are known and everything is small; else the facts as they are.
 *
 * Large constants stay behind their operation until the pass `fold-constants` is asked to evaluate them.
 *
 * @throws {LowpError} what the evaluation throws for impossible inputs, for example an index out of range
 */
export function withKnownValues(
  definition: OpDef,
  attributes: Readonly<Record<string, unknown>>,
  inputs: readonly (Fact | undefined)[],
  outputs: Fact[],
): Fact[] {
  if (!definition.evaluate || definition.stateful || definition.control || outputs.length === 0) return outputs;
  if (outputs.every((f) => f.value) || !outputs.every(isSmall)) return outputs;
  const present = inputs.filter((f) => f !== undefined);
  if (present.length === 0) return outputs;
  const values: Tensor[] = [];
  for (const fact of present) {
    if (!fact.value || !isSmall(fact)) return outputs;
    values.push(fact.value);
  }
  try {
    const results = definition.evaluate(
      attributes,
      values,
      inputs.map((f) => f?.value),
    );
    return outputs.map((fact, i) => ({ type: fact.type, shape: results[i]!.shape, value: results[i]! }));
  } catch (error) {
    if (error instanceof LowpError && unsupported.has(error.code)) return outputs;
    throw error;
  }
}

function isSmall(fact: Fact): boolean {
  return isStatic(fact.shape) && spannedElements(fact.shape) <= (isFloat(fact.type) ? mostFloats : mostIntegers);
}
