import { LowpError } from '../errors/lowp-error.ts';
import type { Node } from '../graph/node.ts';
import type { OpDef, RuntimeTraits } from './define-op.ts';

const byType = new Map<string, OpDef[]>();

/**
 * Makes an operation known to every reader, writer and engine of this process. Several revisions of one type may be
 * registered, each with its own opset.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID` when that revision of the type is known already
 */
export function registerOp(definition: OpDef): void {
  const key = definition.type.toLowerCase();
  const revisions = byType.get(key) ?? [];
  if (revisions.some((r) => r.opset === definition.opset)) {
    throw new LowpError(
      'ERR_CONFIG_INVALID',
      `the operation ${definition.type} (${definition.opset}) is known already`,
    );
  }
  revisions.push(definition);
  revisions.sort((a, b) => opsetNumber(a.opset) - opsetNumber(b.opset));
  byType.set(key, revisions);
}

/**
 * The definition of a type: the latest revision not newer than `opset` (`opset4`), the first one when all are newer,
 * the latest one without `opset`. Types are compared without case. Undefined when the type is unknown.
 */
export function findOp(type: string, opset?: string): OpDef | undefined {
  const revisions = byType.get(type.toLowerCase());
  if (!revisions) return undefined;
  const wanted = opset === undefined ? Number.POSITIVE_INFINITY : opsetNumber(opset);
  return revisions.findLast((r) => opsetNumber(r.opset) <= wanted) ?? revisions[0];
}

/**
 * Like {@link findOp}.
 *
 * @throws {LowpError} `ERR_OP_UNKNOWN`
 */
export function getOp(type: string, opset?: string, node?: string): OpDef {
  const definition = findOp(type, opset);
  if (definition) return definition;
  throw new LowpError('ERR_OP_UNKNOWN', `the operation ${type}${node ? ` of node '${node}'` : ''} is not known`, {
    ...(node ? { node } : {}),
    help: 'The README lists the supported operations.',
  });
}

/** What the native runtime needs to know about a node; undefined when its operation declares nothing. */
export function runtimeOf(node: Node): RuntimeTraits | undefined {
  const runtime = findOp(node.type, node.notes.opset)?.runtime;
  return typeof runtime === 'function' ? runtime(node) : runtime;
}

/** Every registered definition, by type and opset. */
export function allOps(): readonly OpDef[] {
  return [...byType.values()].flat().sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}

function opsetNumber(opset: string): number {
  const number = Number(/^opset(\d+)$/.exec(opset)?.[1]);
  return Number.isNaN(number) ? Number.POSITIVE_INFINITY : number;
}
