// Adds a node of a known operation, with its outputs inferred.
import { limits } from '../errors/limits.ts';
import { LowpError } from '../errors/lowp-error.ts';
import { addNode } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Fact, FormatNotes, Node, OutputPort } from '../graph/node.ts';
import { formatShape, requireShape } from '../tensor/shape.ts';
import { inferRanks } from './any-rank.ts';
import type { OpDef } from './define-op.ts';
import { withKnownValues } from './known-values.ts';
import { getOp } from './registry.ts';

/** What a node is made of, before its outputs are inferred. */
export interface CreateSpec {
  readonly type: string;
  readonly name: string;
  /** Plain values or IR strings; parsed by the operation. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly inputs: readonly (OutputPort | undefined)[];
  readonly names?: readonly (readonly string[])[];
  readonly notes?: FormatNotes;
}

/**
 * Adds a node of a known operation: parses its attributes and infers its outputs.
 *
 * @throws {LowpError} `ERR_OP_UNKNOWN`, `ERR_OP_ATTRIBUTE`, `ERR_OP_INPUTS` and what the operation's inference throws
 */
export function createNode(model: Model, spec: CreateSpec): Node {
  const definition = getOp(spec.type, spec.notes?.opset, spec.name);
  const attributes = parseAttributes(definition, spec.attributes ?? {}, spec.name);
  const outputs = inferFacts(
    definition,
    attributes,
    spec.inputs.map((p) => p?.fact),
    spec.name,
  );
  return addNode(model, {
    type: definition.type,
    name: spec.name,
    attributes,
    inputs: spec.inputs,
    outputs,
    ...(spec.names ? { names: spec.names } : {}),
    ...(spec.notes ? { notes: spec.notes } : {}),
  });
}

/** @throws {LowpError} `ERR_OP_ATTRIBUTE`, naming the node and the attribute */
export function parseAttributes(
  definition: OpDef,
  raw: Readonly<Record<string, unknown>>,
  node: string,
): Readonly<Record<string, unknown>> {
  // Compiling a parser for a schema takes longer than most models use it.
  const parsed = definition.attributes.safeParse(raw, { jitless: true });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = issue?.path.join('.') ?? '';
  throw new LowpError(
    'ERR_OP_ATTRIBUTE',
    `${definition.type} '${node}': attribute '${key}' = ${JSON.stringify(raw[key])}: ${issue?.message}`,
    { node },
  );
}

/** Infers output facts, small known values included, and names the node in whatever goes wrong. */
export function inferFacts(
  definition: OpDef,
  attributes: Readonly<Record<string, unknown>>,
  inputs: readonly (Fact | undefined)[],
  node: string,
): Fact[] {
  const [least, most] = definition.inputs;
  const present = inputs.findLastIndex((f) => f !== undefined) + 1;
  if (present < least || present > most) {
    const expected = least === most ? `${least}` : `${least} to ${most}`;
    throw new LowpError('ERR_OP_INPUTS', `${definition.type} '${node}' takes ${expected} inputs, it has ${present}`, {
      node,
    });
  }
  try {
    if (!definition.strings && inputs.some((f) => f?.type === 'string')) {
      throw new LowpError('ERR_TYPE_MISMATCH', 'the operation takes no strings');
    }
    const facts = inferRanks(definition, attributes, inputs);
    if (facts.length > limits.nodeOutputs.value) {
      throw new LowpError('ERR_LIMIT_SIZE', `${facts.length} outputs; at most ${limits.nodeOutputs.value} are read`);
    }
    for (const { shape } of facts) requireShape(shape);
    return withKnownValues(definition, attributes, inputs, facts);
  } catch (error) {
    if (!(error instanceof LowpError) || error.node !== undefined) throw error;
    const shapes = inputs.map((f) => (f ? `${f.type}${formatShape(f.shape)}` : '-')).join(', ');
    throw new LowpError(error.code, `${definition.type} '${node}': ${error.message}; its inputs are ${shapes}`, {
      node,
      cause: error,
    });
  }
}
