// Regular expressions of RE2's syntax whose time is linear in the text: patterns come from model files.
import { limits } from '../../errors/limits.ts';
import { LowpError } from '../../errors/lowp-error.ts';
import { type Assertion, type Expression, parseExpression } from './regular-expression-syntax.ts';

/** A state of the automaton: reads a character, stands between two, or branches. */
type State =
  | { readonly kind: 'read'; readonly test: (codePoint: number) => boolean; next: number }
  | { readonly kind: 'assert'; readonly assertion: Assertion; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'match' };

/**
 * A test for texts that a pattern matches from their first character to their last one. It takes time in proportion to
 * the length of the text times that of the pattern with its repetitions written out.
 *
 * @throws {LowpError} `ERR_OP_ATTRIBUTE` for a pattern that RE2 has not, `ERR_LIMIT_SIZE` when it is too long
 */
export function fullMatcher(pattern: string): (text: string) => boolean {
  const states: State[] = [{ kind: 'match' }];
  const start = compile(parseExpression(pattern), 0, states);
  return (text) => matches(states, start, text);
}

function add(states: State[], state: State): number {
  if (states.length >= limits.expressionStates.value) {
    const text = `a regular expression of more than ${limits.expressionStates.value} states`;
    throw new LowpError('ERR_LIMIT_SIZE', text, { help: 'Repeat less: x{1000} counts as a thousand times x.' });
  }
  states.push(state);
  return states.length - 1;
}

/** Adds the states of an expression in front of `next`; returns its first one. */
function compile(e: Expression, next: number, states: State[]): number {
  switch (e.kind) {
    case 'read':
      return add(states, { kind: 'read', test: e.test, next });
    case 'assert':
      return add(states, { kind: 'assert', assertion: e.assertion, next });
    case 'sequence':
      return e.parts.reduceRight((to, part) => compile(part, to, states), next);
    case 'choice':
      return e.parts
        .map((part) => compile(part, next, states))
        .reduceRight((other, first) => add(states, { kind: 'split', next: first, other }));
    case 'repeat':
      return compileRepeat(e.part, [e.least, e.most], next, states);
  }
}

function compileRepeat(part: Expression, [least, most]: readonly number[], next: number, states: State[]): number {
  let to = next;
  if (most === Number.POSITIVE_INFINITY) {
    const loop: State = { kind: 'split', next, other: next };
    to = add(states, loop);
    loop.next = compile(part, to, states);
  } else {
    for (let i = least!; i < most!; i++) {
      to = add(states, { kind: 'split', next: compile(part, to, states), other: next });
    }
  }
  for (let i = 0; i < least!; i++) to = compile(part, to, states);
  return to;
}

function matches(states: readonly State[], start: number, text: string): boolean {
  const points = Array.from(text, (c) => c.codePointAt(0)!);
  /** The position at which a state was last reached, plus one. */
  const reached = new Int32Array(states.length);
  let readers = closure(states, [start], reached, points, 0);
  for (let at = 0; at < points.length; at++) {
    const next = readers.flatMap((i) => {
      const state = states[i]!;
      return state.kind === 'read' && state.test(points[at]!) ? [state.next] : [];
    });
    if (next.length === 0) return false;
    readers = closure(states, next, reached, points, at + 1);
  }
  return reached[0] === points.length + 1;
}

/** All states that read, and can be reached in front of character `at` from the given ones. */
function closure(
  states: readonly State[],
  from: readonly number[],
  reached: Int32Array,
  points: readonly number[],
  at: number,
): number[] {
  const readers: number[] = [];
  const stack = [...from];
  while (stack.length > 0) {
    const i = stack.pop()!;
    if (reached[i] === at + 1) continue;
    reached[i] = at + 1;
    const state = states[i]!;
    if (state.kind === 'read') readers.push(i);
    else if (state.kind === 'split') stack.push(state.next, state.other);
    else if (state.kind === 'assert' && state.assertion(points[at - 1], points[at])) stack.push(state.next);
  }
  return readers;
}
