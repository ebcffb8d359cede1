// What a pass is: a named change of a model, written as a function or as a rule that is applied until nothing fits.
import { invariant } from '../errors/assert.ts';
import type { EventListener } from '../events/events.ts';
import type { Model } from '../graph/model.ts';
import { type Match, matchNode, type Pattern } from '../graph/pattern.ts';

/** What a pass may use besides the model. */
export interface PassContext {
  readonly onEvent?: EventListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A change of a model that keeps its function. */
export interface Pass {
  /** Names the pass in events, dumps and errors. */
  readonly name: string;
  /** Changes the model in place and returns how many changes were made. */
  run(model: Model, context: PassContext): number;
}

/** A rule: where `pattern` fits, `rewrite` changes the model. */
export interface Rewrite {
  readonly name: string;
  readonly pattern: Pattern;
  /** Returns false when this place is left as it is. It must not make a place where the rule fits again for ever. */
  rewrite(match: Match, model: Model, context: PassContext): boolean;
}

/** Checks nothing and changes nothing; gives the type. */
export function definePass(pass: Pass): Pass {
  return pass;
}

/** Sweeps that change something before a rule counts as endless. */
const mostSweeps = 1000;

/** A pass that applies the rule to every node, producers first, until a sweep changes nothing. */
export function defineRewrite(rule: Rewrite): Pass {
  return {
    name: rule.name,
    run(model, context) {
      let total = 0;
      for (let sweep = 0; ; sweep++) {
        invariant(sweep < mostSweeps, `the rule ${rule.name} does not come to an end`);
        const changes = sweepOnce(rule, model, context);
        total += changes;
        if (changes === 0) return total;
      }
    },
  };
}

function sweepOnce(rule: Rewrite, model: Model, context: PassContext): number {
  let changes = 0;
  for (const node of model.nodes()) {
    if (model.nodeById.get(node.id) !== node) continue;
    const match = matchNode(rule.pattern, node);
    if (match && rule.rewrite(match, model, context)) changes++;
  }
  return changes;
}

/** Several passes as one: repeated together until none of them changes anything. */
export function repeatPasses(name: string, passes: readonly Pass[]): Pass {
  return {
    name,
    run(model, context) {
      let total = 0;
      for (let round = 0; ; round++) {
        invariant(round < mostSweeps, `the passes of ${name} do not come to an end`);
        const changes = passes.reduce((sum, pass) => sum + pass.run(model, context), 0);
        total += changes;
        if (changes === 0) return total;
      }
    },
  };
}
