// Operations of users: what a definition must have, and checks of what its functions give.
import { LowpError } from '../errors/lowp-error.ts';
import type { Fact } from '../graph/node.ts';
import { elementTypes } from '../tensor/element-type.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import type { OpDef } from './define-op.ts';
import { factsOf } from './fact.ts';
import { addOp } from './registry.ts';

/**
 * Makes an operation known to every reader, writer and engine of this process. Several revisions of one type may be
 * registered, each with its own opset.
 *
 * What `infer` and `evaluate` throw or return is checked when they are called: each output of `evaluate` must have the type
 * and shape that `infer` states for the same inputs.
 *
 * @throws {LowpError} `ERR_OP_DEFINITION` for a definition that lacks something, `ERR_CONFIG_INVALID` when that revision of
 *   the type is known already
 */
export function registerOp(definition: OpDef): void {
  addOp(guarded(definition));
}

function guarded(definition: OpDef): OpDef {
  checkDefinition(definition);
  const infer: OpDef['infer'] = (attributes, inputs) =>
    checkedFacts(
      definition,
      calling(definition, 'infer', () => definition.infer(attributes, inputs)),
    );
  if (!definition.evaluate) return { ...definition, infer };
  const evaluate: NonNullable<OpDef['evaluate']> = (attributes, inputs, optional) => {
    const results = calling(definition, 'evaluate', () => definition.evaluate!(attributes, inputs, optional));
    return checkedResults(definition, infer(attributes, factsOf(optional ?? inputs)), results);
  };
  return { ...definition, infer, evaluate };
}

function fault(definition: OpDef, message: string, cause?: unknown): LowpError {
  return new LowpError('ERR_OP_DEFINITION', `the definition of ${definition.type} (${definition.opset}): ${message}`, {
    help: 'docs/custom-operations.md tells what a definition needs.',
    ...(cause === undefined ? {} : { cause }),
  });
}

const isName = (value: unknown): boolean => typeof value === 'string' && /^\S+$/.test(value);

function checkDefinition(definition: OpDef): void {
  if (typeof definition !== 'object' || definition === null || !isName(definition.type)) {
    throw new LowpError('ERR_OP_DEFINITION', 'the definition of an operation needs a type: a name without spaces');
  }
  const { opset, attributes, inputs, infer, evaluate, lower, expand, control } = definition;
  if (!isName(opset)) throw fault(definition, "opset must be a name without spaces, such as 'extension'");
  if (typeof attributes?.safeParse !== 'function') throw fault(definition, 'attributes must be a zod schema');
  const isCount = (n: unknown): boolean => Number.isInteger(n) && (n as number) >= 0;
  if (!Array.isArray(inputs) || inputs.length !== 2 || !inputs.every(isCount) || inputs[0] > inputs[1]) {
    throw fault(definition, 'inputs must be the least and the most number of inputs, such as [1, 1]');
  }
  if (typeof infer !== 'function') throw fault(definition, 'infer must be a function');
  if (![evaluate, lower, expand, control].some((f) => typeof f === 'function')) {
    throw fault(definition, 'nothing computes it; evaluate must be a function');
  }
}

/** What a function of the user returns; what it throws becomes a `LowpError`. */
function calling(definition: OpDef, name: string, work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof LowpError) throw error;
    throw fault(definition, `${name} threw ${String(error)}`, error);
  }
}

function checkedFacts(definition: OpDef, facts: unknown): Fact[] {
  const list = listOf(definition, 'infer', facts);
  for (const [i, fact] of list.entries()) {
    const { type, shape } = (fact ?? {}) as Partial<Fact>;
    if (!elementTypes.includes(type!))
      throw fault(definition, `infer gave output ${i} the type ${type}; expected an element type such as f32`);
    if (!Array.isArray(shape) || !shape.every((d) => Number.isSafeInteger(d) && d >= -1)) {
      const given = Array.isArray(shape) ? `[${shape.join(',')}]` : String(shape);
      throw fault(definition, `infer gave output ${i} the shape ${given}; expected sizes, -1 where one is not known`);
    }
  }
  return list as Fact[];
}

function listOf(definition: OpDef, name: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const given = value instanceof Promise ? 'a promise' : value === null ? 'null' : typeof value;
  throw fault(definition, `${name} returned ${given}; expected an array with an entry for each output`);
}

function checkedResults(definition: OpDef, facts: readonly Fact[], results: unknown): Tensor[] {
  const list = listOf(definition, 'evaluate', results);
  if (list.length !== facts.length)
    throw fault(definition, `evaluate returned ${list.length} tensors; infer states ${facts.length} outputs`);
  return facts.map((fact, i) => checkedResult(definition, fact, list[i], i));
}

function checkedResult(definition: OpDef, fact: Fact, result: unknown, output: number): Tensor {
  const { type, shape, data } = (result ?? {}) as Partial<Tensor>;
  if (!type || !Array.isArray(shape) || !ArrayBuffer.isView(data))
    throw fault(definition, `evaluate returned no tensor as output ${output}`);
  if (type !== fact.type || !fits(shape, fact.shape)) {
    const [given, stated] = [`${type}${formatShape(shape)}`, `${fact.type}${formatShape(fact.shape)}`];
    throw fault(definition, `evaluate returned ${given} as output ${output}; infer states ${stated}`);
  }
  try {
    return tensor(type, shape, data);
  } catch (error) {
    throw fault(definition, `output ${output} of evaluate: ${(error as Error).message}`, error);
  }
}

function fits(shape: Shape, stated: Shape): boolean {
  return shape.length === stated.length && shape.every((d, i) => stated[i]! < 0 || stated[i] === d);
}
