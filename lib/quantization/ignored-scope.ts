// The nodes that stay in floating point, and why: what the caller asks for, the device's patterns, shape arithmetic.
import { LowpError } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { closestNames } from '../util/closest.ts';
import { detectionTails, devicePatterns, generalPatterns, matchIgnoredPatterns } from './ignored-patterns.ts';
import { compileNamePattern } from './name-pattern.ts';
import { consumersOf, isComputedConstant, type Roles } from './roles.ts';

/** Operations of a type, all of them or those whose attributes have the given values. */
export interface IgnoredType {
  /** Compared without case. */
  readonly type: string;
  /** Compared as the text of an IR: `{ group: 4 }`, `{ strides: '2,2' }` or `{ strides: [2, 2] }`. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

type AttributeValue = string | number | boolean | readonly (string | number)[];

/** What the caller keeps in floating point. */
export interface IgnoredScope {
  /** Exact node names. */
  readonly names?: readonly string[];
  readonly types?: readonly (string | IgnoredType)[];
  /** Patterns searched in node names; see {@link compileNamePattern}. */
  readonly patterns?: readonly string[];
}

/** Nodes that get no quantizer. */
export interface IgnoredNodes {
  /** Reason by node. */
  readonly reasons: ReadonlyMap<Node, string>;
  /** Agnostic nodes that no quantizer may cross. */
  readonly barriers: ReadonlySet<Node>;
}

export interface IgnoredOptions {
  readonly scope?: IgnoredScope;
  readonly modelType?: 'transformer';
  /** The nodes that existed before the model was prepared: asking for one that is gone is no mistake. */
  readonly former?: readonly Node[];
}

/**
 * Finds all nodes to leave in floating point.
 *
 * @throws {LowpError} `ERR_GRAPH_NAME` for a name, a type or a pattern that fits no node of the model, with what is nearest
 *   to it; `ERR_CONFIG_INVALID` for a pattern that cannot be read
 */
export function findIgnored(model: Model, roles: Roles, options: IgnoredOptions = {}): IgnoredNodes {
  const device = roles.target.ignoredPatterns.flatMap((name) => devicePatterns[name]);
  const reasons = matchIgnoredPatterns(model, [...generalPatterns, ...device]);
  for (const [node, reason] of detectionTails(model)) if (!reasons.has(node)) reasons.set(node, reason);
  for (const node of model.nodes()) {
    const isKnown = node.outputs.length > 0 && node.outputs.every(isComputedConstant);
    if (isKnown && node.type !== 'Result' && !reasons.has(node)) {
      reasons.set(node, 'its value is known before the model runs');
    }
  }
  addScope(model, roles, options, reasons);
  return { reasons, barriers: new Set(reasons.keys()) };
}

/** One entry of the scope. */
interface Entry {
  readonly reason: string;
  accepts(node: Node): boolean;
  /** The error when it fits nothing; absent: it need not. */
  unmatched?(nodes: readonly Node[]): LowpError;
}

function addScope(model: Model, roles: Roles, options: IgnoredOptions, reasons: Map<Node, string>): void {
  const isOperation = (node: Node): boolean => node.type !== 'Constant';
  const nodes = model.nodes().filter(isOperation);
  const former = options.former?.filter(isOperation) ?? [];
  for (const entry of entriesOf(model, roles, options)) {
    const found = nodes.filter((node) => entry.accepts(node));
    for (const node of found) {
      reasons.set(node, entry.reason);
      for (const behind of roles.isAgnostic(node) ? nearestConsumers(node, roles) : []) {
        reasons.set(behind, `it reads '${node.name}', which moves values only and is excluded`);
      }
    }
    if (found.length > 0 || !entry.unmatched || former.some((node) => entry.accepts(node))) continue;
    throw entry.unmatched([...nodes, ...former]);
  }
}

function entriesOf(model: Model, roles: Roles, { scope = {}, modelType }: IgnoredOptions): Entry[] {
  const types = (scope.types ?? []).map((type) => (typeof type === 'string' ? { type } : type));
  return [
    ...(scope.names ?? []).map((name) => entryOfName(model, name)),
    ...types.map((type) => entryOfType(model, type)),
    ...(scope.patterns ?? []).map((pattern) => entryOfPattern(model, pattern)),
    ...(modelType === 'transformer' ? [entryOfTransformers(roles)] : []),
  ];
}

function entryOfName(model: Model, name: string): Entry {
  return {
    reason: 'it is excluded by name',
    accepts: (node) => node.name === name,
    unmatched: (nodes) => {
      const near = nearest(
        name,
        nodes.map((n) => n.name),
      );
      const what = `the ignored scope names '${name}', which is not a node of '${model.name}'`;
      return new LowpError('ERR_GRAPH_NAME', what, { help: near ?? 'lowp inspect lists the names.' });
    },
  };
}

function entryOfType(model: Model, { type, attributes = {} }: IgnoredType): Entry {
  const wanted = type.toLowerCase();
  const pairs = Object.entries(attributes);
  const text = pairs.map(([key, value]) => ` ${key}=${asText(value)}`).join('');
  const isOfType = (node: Node): boolean => node.type.toLowerCase() === wanted;
  return {
    reason: `operations of type ${type}${text && ` with${text}`} are excluded`,
    accepts: (node) =>
      isOfType(node) && pairs.every(([key, value]) => asText(node.attributes[key] as AttributeValue) === asText(value)),
    unmatched: (nodes) => {
      const same = nodes.filter(isOfType);
      if (same.length > 0) return noAttributes(model, type, pairs, same);
      const known = [...new Set(nodes.map((n) => n.type))].sort();
      const what = `the ignored scope excludes the type '${type}', of which '${model.name}' has no operation`;
      return new LowpError('ERR_GRAPH_NAME', what, { help: nearest(type, known) ?? `It has ${known.join(', ')}.` });
    },
  };
}

/** The type is there, but not with these attributes: shows the values that are. */
function noAttributes(
  model: Model,
  type: string,
  pairs: readonly (readonly [string, AttributeValue])[],
  same: readonly Node[],
): LowpError {
  const wanted = pairs.map(([key, value]) => `${key}=${asText(value)}`).join(' ');
  const values = pairs.map(([key]) => {
    const found = [...new Set(same.map((n) => asText(n.attributes[key] as AttributeValue)))];
    return `${key} is ${found.slice(0, 5).join(' or ')}`;
  });
  return new LowpError(
    'ERR_GRAPH_NAME',
    `the ignored scope excludes ${type} with ${wanted}, which none of the ${same.length} of '${model.name}' has`,
    { help: `There ${values.join(', ')}.` },
  );
}

function asText(value: AttributeValue | undefined): string {
  return value === undefined ? 'absent' : String(value).replaceAll(' ', '');
}

function entryOfPattern(model: Model, pattern: string): Entry {
  const matches = compileNamePattern(pattern);
  return {
    reason: `its name matches the excluded pattern '${pattern}'`,
    accepts: (node) => matches(node.name),
    unmatched: (nodes) => {
      const near = nearest(
        pattern.replaceAll(/[\\^$]/g, ''),
        nodes.map((n) => n.name),
      );
      const what = `the pattern '${pattern}' of the ignored scope fits no name of '${model.name}'`;
      return new LowpError('ERR_GRAPH_NAME', what, { help: near ?? 'lowp inspect lists the names.' });
    },
  };
}

function entryOfTransformers(roles: Roles): Entry {
  const types = new Set(roles.target.transformerIgnoredTypes);
  return { reason: 'transformers keep this operation in floating point', accepts: (node) => types.has(node.type) };
}

function nearest(wanted: string, known: readonly string[]): string | undefined {
  const near = closestNames(wanted, new Set(known));
  return near.length > 0 ? `Did you mean ${near.map((n) => `'${n}'`).join(', ')}?` : undefined;
}

/** The first nodes behind an agnostic one that are not agnostic themselves. */
function nearestConsumers(node: Node, roles: Roles): Node[] {
  const found = new Set<Node>();
  const visited = new Set<Node>([node]);
  const stack = [node];
  while (stack.length > 0) {
    for (const { node: consumer } of consumersOf(stack.pop()!)) {
      if (visited.has(consumer)) continue;
      visited.add(consumer);
      if (roles.isAgnostic(consumer)) stack.push(consumer);
      else if (consumer.type !== 'Result') found.add(consumer);
    }
  }
  return [...found];
}
