// Patterns on node names, matched in linear time: a subset of regular expressions run as a set of states.
import { LowpError } from '../errors/lowp-error.ts';

/** Accepts one character, or stands between others. */
type State =
  | { readonly kind: 'character'; accepts(character: string): boolean; next: number }
  | { readonly kind: 'fork'; a: number; b: number }
  | { readonly kind: 'start' | 'end'; next: number }
  | { readonly kind: 'match' };

/** Longest pattern: keeps a match of a name below a millisecond. */
const longestPattern = 1024;

/**
 * Compiles a pattern that is searched anywhere in a name.
 *
 * Known: literals, `.`, `[a-z]`, `[^…]`, `\d \w \s` and their negations, `\` before any sign, `( )`, `|`, `*`, `+`, `?`,
 * `^`, `$`. Groups do not capture; there are no back references, counts or look-arounds. Time is the length of the name
 * times the length of the pattern, whatever both are.
 *
 * @throws {LowpError} `ERR_CONFIG_INVALID` for a pattern that is too long or not of this form
 */
export function compileNamePattern(pattern: string): (name: string) => boolean {
  if (pattern.length > longestPattern) {
    throw new LowpError(
      'ERR_CONFIG_INVALID',
      `a pattern has ${pattern.length} characters, at most ${longestPattern} are allowed`,
    );
  }
  const parser = new Parser(pattern);
  const start = parser.parse();
  return (name) => search(parser.states, start, name);
}

function search(states: readonly State[], start: number, name: string): boolean {
  let current = new Set<number>();
  for (let at = 0; at <= name.length; at++) {
    follow(states, start, at, name.length, current);
    for (const index of current) if (states[index]!.kind === 'match') return true;
    const next = new Set<number>();
    for (const index of current) {
      const state = states[index]!;
      if (state.kind === 'character' && at < name.length && state.accepts(name[at]!)) {
        follow(states, state.next, at + 1, name.length, next);
      }
    }
    current = next;
  }
  return false;
}

/** Adds a state and all states that can be reached from it without reading a character. */
function follow(states: readonly State[], from: number, at: number, length: number, into: Set<number>): void {
  const stack = [from];
  while (stack.length > 0) {
    const index = stack.pop()!;
    if (into.has(index)) continue;
    into.add(index);
    const state = states[index]!;
    if (state.kind === 'fork') stack.push(state.a, state.b);
    else if ((state.kind === 'start' && at === 0) || (state.kind === 'end' && at === length)) stack.push(state.next);
  }
}

/** A piece under construction: where it starts, and the states whose continuation is still open. */
interface Piece {
  readonly start: number;
  readonly open: readonly ((target: number) => void)[];
}

const classes: Readonly<Record<string, (character: string) => boolean>> = {
  d: (c) => c >= '0' && c <= '9',
  w: (c) => (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c === '_',
  s: (c) => c.trim() === '',
};

class Parser {
  readonly states: State[] = [];
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  parse(): number {
    const piece = this.alternatives();
    if (this.at < this.text.length) this.fail(`unexpected '${this.text[this.at]}'`);
    const match = this.states.push({ kind: 'match' }) - 1;
    for (const close of piece.open) close(match);
    return piece.start;
  }

  private fail(what: string): never {
    throw new LowpError(
      'ERR_CONFIG_INVALID',
      `the pattern '${this.text}' is not valid at position ${this.at}: ${what}`,
    );
  }

  private alternatives(): Piece {
    let piece = this.sequence();
    while (this.text[this.at] === '|') {
      this.at++;
      const other = this.sequence();
      const start = this.states.push({ kind: 'fork', a: piece.start, b: other.start }) - 1;
      piece = { start, open: [...piece.open, ...other.open] };
    }
    return piece;
  }

  private sequence(): Piece {
    let piece: Piece | undefined;
    while (this.at < this.text.length && this.text[this.at] !== '|' && this.text[this.at] !== ')') {
      const next = this.repeated();
      if (piece) for (const close of piece.open) close(next.start);
      piece = { start: piece ? piece.start : next.start, open: next.open };
    }
    return piece ?? this.empty();
  }

  private empty(): Piece {
    const state = { kind: 'fork' as const, a: -1, b: -1 };
    const start = this.states.push(state) - 1;
    const close = (target: number): void => {
      state.a = target;
      state.b = target;
    };
    return { start, open: [close] };
  }

  private repeated(): Piece {
    let piece = this.atom();
    for (let sign = this.text[this.at]; sign === '*' || sign === '+' || sign === '?'; sign = this.text[this.at]) {
      this.at++;
      const fork = { kind: 'fork' as const, a: piece.start, b: -1 };
      const index = this.states.push(fork) - 1;
      const leave = (target: number): void => {
        fork.b = target;
      };
      if (sign === '?') piece = { start: index, open: [...piece.open, leave] };
      else {
        for (const close of piece.open) close(index);
        piece = { start: sign === '+' ? piece.start : index, open: [leave] };
      }
    }
    return piece;
  }

  private atom(): Piece {
    const sign = this.text[this.at++]!;
    if (sign === '(') {
      if (this.text.startsWith('?:', this.at)) this.at += 2;
      const inner = this.alternatives();
      if (this.text[this.at++] !== ')') this.fail('a closing parenthesis is missing');
      return inner;
    }
    if (sign === '*' || sign === '+' || sign === '?') this.fail(`nothing stands in front of '${sign}'`);
    if (sign === '{') this.fail('counts in braces are not supported; write \\{ for the sign itself');
    if (sign === '^' || sign === '$') return this.step({ kind: sign === '^' ? 'start' : 'end', next: -1 });
    if (sign === '[') return this.character(this.set());
    if (sign === '.') return this.character(() => true);
    if (sign === '\\') return this.character(this.escaped());
    return this.character((c) => c === sign);
  }

  private character(accepts: (character: string) => boolean): Piece {
    return this.step({ kind: 'character', accepts, next: -1 });
  }

  private step(state: Extract<State, { next: number }>): Piece {
    const start = this.states.push(state) - 1;
    const close = (target: number): void => {
      state.next = target;
    };
    return { start, open: [close] };
  }

  private escaped(): (character: string) => boolean {
    const letter = this.text[this.at++];
    if (letter === undefined) this.fail('a sign must follow the backslash');
    const known = classes[letter.toLowerCase()];
    if (known && /[a-zA-Z]/.test(letter)) return letter === letter.toLowerCase() ? known : (c) => !known(c);
    if (/[a-zA-Z0-9]/.test(letter)) this.fail(`'\\${letter}' is not supported`);
    return (c) => c === letter;
  }

  private set(): (character: string) => boolean {
    const isNegated = this.text[this.at] === '^';
    if (isNegated) this.at++;
    const parts: ((character: string) => boolean)[] = [];
    while (this.text[this.at] !== ']' || parts.length === 0) {
      const from = this.text[this.at++];
      if (from === undefined) this.fail('a closing bracket is missing');
      if (from === '\\') {
        parts.push(this.escaped());
        continue;
      }
      const to = this.text[this.at + 1];
      if (this.text[this.at] === '-' && to !== undefined && to !== ']') {
        if (to < from) this.fail(`the range ${from}-${to} is empty`);
        parts.push((c) => c >= from && c <= to);
        this.at += 2;
      } else parts.push((c) => c === from);
    }
    this.at++;
    return (c) => parts.some((part) => part(c)) !== isNegated;
  }
}
