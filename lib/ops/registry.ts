// The operations that are known, by type and operation set.
import { LowpError } from '../errors/lowp-error.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { hasRank } from '../tensor/shape.ts';
import type { OpDef, RuntimeTraits } from './define-op.ts';

const byType = new Map<string, OpDef[]>();

/**
 * What {@link findOp} found, by opset and type as they were asked for: passes ask for every node many times. Both come
 * from files, so the number of answers is bounded.
 */
const answers = new Map<string | undefined, Map<string, OpDef>>();
const mostAnswers = 10000;
let answerCount = 0;

/** The opset of operations of lowp that OpenVINO does not have. */
export const ownSet = 'lowp';

/** The opset of operations that belong to no set with a name of its own. */
const extension = 'extension';

/**
 * Takes a definition in.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID` when that revision of the type is known already
 */
export function addOp(definition: OpDef): void {
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
  forgetAnswers();
}

function forgetAnswers(): void {
  answers.clear();
  answerCount = 0;
}

/**
 * The definition of a type: the latest revision not newer than `opset` (`opset4`), the first one when all are newer, the
 * latest one without `opset`; for the name of another set its own one, else an `extension`. Types are compared without
 * case. Undefined when the type is unknown.
 */
export function findOp(type: string, opset?: string): OpDef | undefined {
  const known = answers.get(opset)?.get(type);
  if (known) return known;
  const found = search(type, opset);
  if (!found) return undefined;
  if (answerCount++ === mostAnswers) forgetAnswers();
  const ofOpset = answers.get(opset) ?? new Map<string, OpDef>();
  answers.set(opset, ofOpset.set(type, found));
  return found;
}

function search(type: string, opset: string | undefined): OpDef | undefined {
  const revisions = byType.get(type.toLowerCase());
  if (!revisions) return undefined;
  const named = revisions.find((r) => r.opset === opset);
  const other = opset === undefined || isNumbered(opset) ? undefined : revisions.find((r) => r.opset === extension);
  if (named ?? other) return named ?? other;
  const wanted = opset === undefined ? Number.POSITIVE_INFINITY : opsetNumber(opset);
  return revisions.findLast((r) => opsetNumber(r.opset) <= wanted) ?? revisions[0];
}

/** The operation of a user that a format calls by a type and the name of a set: one of that set, else an `extension`. */
export function findExtension(type: string, set: string): OpDef | undefined {
  const revisions = byType.get(type.toLowerCase())?.filter((r) => !isNumbered(r.opset));
  return revisions?.find((r) => r.opset === set) ?? revisions?.find((r) => r.opset === extension);
}

/** False for the sets of operations outside of OpenVINO's own, such as `extension`. */
export function isNumbered(opset: string): boolean {
  return /^opset\d+$/.test(opset);
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

/**
 * What the native runtime needs to know about a node; undefined when its operation declares nothing, and while the rank of
 * a value that it touches is not known.
 */
export function runtimeOf(node: Node): RuntimeTraits | undefined {
  const runtime = findOp(node.type, node.notes.opset)?.runtime;
  if (typeof runtime !== 'function') return runtime;
  return hasRanks(node) ? runtime(node) : undefined;
}

/** True when all inputs and outputs have a known rank: what definitions say of a node, they say of such a node. */
export function hasRanks(node: Node): boolean {
  const isKnown = (port: OutputPort | undefined): boolean => !port || hasRank(port.fact.shape);
  return node.inputs.every((i) => isKnown(i.source)) && node.outputs.every(isKnown);
}

/** Every registered definition, by type and opset. */
export function allOps(): readonly OpDef[] {
  return [...byType.values()].flat().sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}

function opsetNumber(opset: string): number {
  const number = Number(/^opset(\d+)$/.exec(opset)?.[1]);
  return Number.isNaN(number) ? Number.POSITIVE_INFINITY : number;
}
