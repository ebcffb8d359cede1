// The nodes that stay in floating point, and why: what the caller asks for, the device's patterns, shape arithmetic.
import { LowpError } from '../errors/lowp-error.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { closestNames } from '../util/closest.ts';
import { detectionTails, devicePatterns, generalPatterns, matchIgnoredPatterns } from './ignored-patterns.ts';
import { compileNamePattern } from './name-pattern.ts';
import { consumersOf, isComputedConstant, type Roles } from './roles.ts';

/** What the caller keeps in floating point. */
export interface IgnoredScope {
  /** Exact node names. */
  readonly names?: readonly string[];
  /** Operation types, compared without case. */
  readonly types?: readonly string[];
  /** Patterns searched in node names; see {@link compileNamePattern}. */
  readonly patterns?: readonly string[];
}

/** Nodes that get no quantizer. */
export interface IgnoredNodes {
  /** Reason by node. */
  readonly reasons: ReadonlyMap<Node, string>;
  /** Agnostic nodes that no quantizer may cross. */
  readonly barriers: ReadonlySet<Node>;
  /** Parts of the scope that fitted no node of the model. */
  readonly unused: readonly string[];
}

export interface IgnoredOptions {
  readonly scope?: IgnoredScope;
  readonly modelType?: 'transformer';
  /** Names that existed before the model was prepared: asking for them is no mistake. */
  readonly formerNames?: ReadonlySet<string>;
}

/**
 * Finds all nodes to leave in floating point.
 *
 * @throws {LowpError} `ERR_GRAPH_NAME` for a name that the model does not have, with the nearest names;
 *   `ERR_CONFIG_INVALID` for a pattern that cannot be read
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
  const unused = addScope(model, roles, options, reasons);
  return { reasons, barriers: new Set(reasons.keys()), unused };
}

function addScope(model: Model, roles: Roles, options: IgnoredOptions, reasons: Map<Node, string>): string[] {
  const { scope = {}, formerNames = new Set<string>() } = options;
  const nodes = model.nodes();
  const unused: string[] = [];
  const take = (what: string, reason: string, accepts: (node: Node) => boolean): boolean => {
    const found = nodes.filter((n) => n.type !== 'Constant' && accepts(n));
    for (const node of found) {
      reasons.set(node, reason);
      for (const behind of roles.isAgnostic(node) ? nearestConsumers(node, roles) : []) {
        reasons.set(behind, `it reads '${node.name}', which moves values only and is excluded`);
      }
    }
    if (found.length === 0) unused.push(what);
    return found.length > 0;
  };
  for (const name of scope.names ?? []) {
    const isFound = take(`name '${name}'`, 'it is excluded by name', (n) => n.name === name);
    if (!isFound && !formerNames.has(name)) throw unknownName(model, name);
  }
  for (const type of scope.types ?? []) {
    const wanted = type.toLowerCase();
    take(`type '${type}'`, `operations of type ${type} are excluded`, (n) => n.type.toLowerCase() === wanted);
  }
  for (const pattern of scope.patterns ?? []) {
    const matches = compileNamePattern(pattern);
    take(`pattern '${pattern}'`, `its name matches the excluded pattern '${pattern}'`, (n) => matches(n.name));
  }
  if (options.modelType === 'transformer') {
    const types = new Set(roles.target.transformerIgnoredTypes);
    take('', 'transformers keep this operation in floating point', (n) => types.has(n.type));
  }
  return unused.filter((what) => what !== '');
}

function unknownName(model: Model, name: string): LowpError {
  const near = closestNames(
    name,
    model.nodes().map((n) => n.name),
  );
  const hint =
    near.length > 0 ? `Did you mean ${near.map((n) => `'${n}'`).join(', ')}?` : 'lowp inspect lists the names.';
  return new LowpError('ERR_GRAPH_NAME', `the ignored scope names '${name}', which is not a node of '${model.name}'`, {
    help: hint,
  });
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
