// The syntax of RE2 (https://github.com/google/re2/wiki/Syntax): a pattern as a tree.
import { LowpError } from '../../errors/lowp-error.ts';

/** Whether a place between two characters fits; undefined stands for the ends of the text. */
export type Assertion = (before: number | undefined, after: number | undefined) => boolean;

type Test = (codePoint: number) => boolean;

/** A pattern. */
export type Expression =
  | { readonly kind: 'read'; readonly test: Test }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly part: Expression; readonly least: number; readonly most: number };

/** `(?i)` ignores case, `(?m)` lets ^ and $ stand at lines, `(?s)` lets a dot read a line feed. */
interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

/** What RE2 repeats at most, and how deep groups may be. */
const [mostRepeats, mostDepth] = [1000, 250];

const code = (c: string): number => c.codePointAt(0)!;
const lineFeed = code('\n');

/** Tests of single characters, by what stands between brackets in a class of characters. */
function ofRanges(text: string): Test {
  const ranges = [...text.matchAll(/(.)-(.)|(.)/gsu)].map(([, low, high, one]) => [
    code(low ?? one!),
    code(high ?? one!),
  ]);
  return (c) => ranges.some(([low, high]) => c >= low! && c <= high!);
}

const not =
  (test: Test): Test =>
  (c) =>
    !test(c);

const [digit, space, word] = [ofRanges('0-9'), ofRanges('\t\n\f\r '), ofRanges('0-9A-Za-z_')];

const classes: Readonly<Record<string, Test>> = {
  d: digit,
  D: not(digit),
  s: space,
  S: not(space),
  w: word,
  W: not(word),
};

const named: Readonly<Record<string, Test>> = {
  alnum: ofRanges('0-9A-Za-z'),
  alpha: ofRanges('A-Za-z'),
  ascii: (c) => c < 128,
  blank: ofRanges('\t '),
  cntrl: (c) => c < 32 || c === 127,
  digit,
  graph: (c) => c > 32 && c < 127,
  lower: ofRanges('a-z'),
  print: (c) => c >= 32 && c < 127,
  punct: (c) => c > 32 && c < 127 && !ofRanges('0-9A-Za-z')(c),
  space: ofRanges('\t-\r '),
  upper: ofRanges('A-Z'),
  word,
  xdigit: ofRanges('0-9A-Fa-f'),
};

const controls: Readonly<Record<string, string>> = { a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

const isWord = (c: number | undefined): boolean => c !== undefined && word(c);
const atWordEnd: Assertion = (before, after) => isWord(before) !== isWord(after);
const atStart: Assertion = (before) => before === undefined;
const atEnd: Assertion = (_, after) => after === undefined;

const places: Readonly<Record<string, Assertion>> = {
  A: atStart,
  z: atEnd,
  b: atWordEnd,
  B: (before, after) => !atWordEnd(before, after),
};

/** @throws {LowpError} `ERR_OP_ATTRIBUTE` for a pattern that RE2 has not */
export function parseExpression(pattern: string): Expression {
  return new Parser(pattern).whole();
}

class Parser {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = [...pattern];
  }

  whole(): Expression {
    const expression = this.#choice({ i: false, m: false, s: false });
    if (this.#at < this.#characters.length) this.#fail('a ) without a (');
    return expression;
  }

  #fail(text: string): never {
    const shown = JSON.stringify(this.#pattern.slice(0, 200));
    throw new LowpError('ERR_OP_ATTRIBUTE', `the regular expression ${shown}: ${text}, at character ${this.#at}`, {
      help: 'Patterns have the syntax of RE2.',
    });
  }

  /** Goes on behind `text` when it comes next. */
  #take(text: string): boolean {
    const length = text.length;
    if (this.#characters.slice(this.#at, this.#at + length).join('') !== text) return false;
    this.#at += length;
    return true;
  }

  #next(): string {
    return this.#characters[this.#at++] ?? this.#fail('it ends too early');
  }

  /** Alternatives up to a `)` or the end; flags that are set in one hold in those behind it. */
  #choice(flags: Flags): Expression {
    const parts: Expression[] = [];
    let current: Expression[] = [];
    let set = flags;
    while (this.#at < this.#characters.length && this.#characters[this.#at] !== ')') {
      if (this.#take('|')) {
        parts.push({ kind: 'sequence', parts: current });
        current = [];
        continue;
      }
      const atom = this.#atom(set);
      if ('flags' in atom) set = atom.flags;
      else current.push(this.#repeated(atom));
    }
    parts.push({ kind: 'sequence', parts: current });
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  #repeated(part: Expression): Expression {
    const bounds = this.#bounds();
    if (!bounds) return part;
    // Which of several matches is taken does not matter for a match of the whole text.
    this.#take('?');
    if (this.#bounds()) this.#fail('a repetition of a repetition');
    return { kind: 'repeat', part, least: bounds[0], most: bounds[1] };
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    const [text, low, comma, high] =
      /^\{(\d+)(,?)(\d*)\}/.exec(this.#characters.slice(this.#at, this.#at + 32).join('')) ?? [];
    if (text === undefined || (comma === '' && high !== '')) return undefined;
    this.#at += text.length;
    const least = Number(low);
    const most = comma === '' ? least : high === '' ? Number.POSITIVE_INFINITY : Number(high);
    const bound = most === Number.POSITIVE_INFINITY ? least : most;
    if (least > most || bound > mostRepeats) this.#fail(`the repetition ${text}; at most ${mostRepeats} are read`);
    return [least, most];
  }

  #atom(flags: Flags): Expression | { readonly flags: Flags } {
    const c = this.#next();
    if (c === '(') return this.#group(flags);
    if (c === '[') return { kind: 'read', test: this.#class(flags) };
    if (c === '.') return { kind: 'read', test: (p) => flags.s || p !== lineFeed };
    if (c === '^') return { kind: 'assert', assertion: flags.m ? atLineStart : atStart };
    if (c === '$') return { kind: 'assert', assertion: flags.m ? atLineEnd : atEnd };
    if (c === '*' || c === '+' || c === '?') this.#fail(`nothing in front of ${c}`);
    if (c !== '\\') return this.#literal(c, flags);
    const kind = this.#characters[this.#at];
    const place = kind === undefined ? undefined : Object.hasOwn(places, kind) ? places[kind] : undefined;
    if (place) {
      this.#at++;
      return { kind: 'assert', assertion: place };
    }
    if (this.#take('Q')) return this.#quoted(flags);
    return { kind: 'read', test: this.#withCase(this.#escape(), flags) };
  }

  #literal(c: string, flags: Flags): Expression {
    const own = code(c);
    return { kind: 'read', test: this.#withCase((p) => p === own, flags) };
  }

  /** What follows is a repetition of the last character. */
  #quoted(flags: Flags): Expression {
    const parts: Expression[] = [];
    while (this.#at < this.#characters.length && !this.#take('\\E')) parts.push(this.#literal(this.#next(), flags));
    const last = parts.pop();
    return { kind: 'sequence', parts: last ? [...parts, this.#repeated(last)] : [] };
  }

  #group(outside: Flags): Expression | { readonly flags: Flags } {
    let flags = outside;
    if (this.#take('?') && !this.#take(':')) {
      const rest = this.#characters.slice(this.#at, this.#at + 200).join('');
      const name = /^P?<\w+>/u.exec(rest)?.[0];
      const [all, on, off, end] = /^([imsU]*)(-[imsU]+)?([:)])/.exec(rest) ?? [];
      if (name === undefined && all === undefined) this.#fail('a kind of group that RE2 has not');
      this.#at += (name ?? all!).length;
      if (name === undefined) {
        const is = (key: 'i' | 'm' | 's'): boolean => !off?.includes(key) && (on!.includes(key) || outside[key]);
        flags = { i: is('i'), m: is('m'), s: is('s') };
        if (end === ')') return { flags };
      }
    }
    if (++this.#depth > mostDepth) this.#fail(`groups more than ${mostDepth} deep`);
    const inner = this.#choice(flags);
    if (!this.#take(')')) this.#fail('a ( without a )');
    this.#depth--;
    return inner;
  }

  #withCase(test: Test, flags: Flags): Test {
    if (!flags.i) return test;
    return (p) => {
      const c = String.fromCodePoint(p);
      return test(p) || test(code(c.toLowerCase())) || test(code(c.toUpperCase()));
    };
  }

  /** Behind `[`. */
  #class(flags: Flags): Test {
    const isNegated = this.#take('^');
    const tests: Test[] = [];
    let isFirst = true;
    while (isFirst || !this.#take(']')) {
      isFirst = false;
      tests.push(this.#classItem());
    }
    const any = this.#withCase((p) => tests.some((test) => test(p)), flags);
    return isNegated ? not(any) : any;
  }

  #classItem(): Test {
    const rest = this.#characters.slice(this.#at, this.#at + 16).join('');
    const [text, negated, name] = /^\[:(\^?)(\w+):\]/.exec(rest) ?? [];
    if (text !== undefined) {
      this.#at += text.length;
      const test = Object.hasOwn(named, name!) ? named[name!]! : this.#fail(`the class ${text}`);
      return negated ? not(test) : test;
    }
    const low = this.#classEnd();
    const isRange = this.#characters[this.#at] === '-' && this.#characters[this.#at + 1] !== ']';
    if (typeof low !== 'number' || !isRange) return typeof low === 'number' ? (p) => p === low : low;
    this.#at++;
    const high = this.#classEnd();
    if (typeof high !== 'number' || high < low) return this.#fail('a range of characters that ends before it begins');
    return (p) => p >= low && p <= high;
  }

  /** A character, or a class among others. */
  #classEnd(): number | Test {
    const c = this.#next();
    if (c !== '\\') return code(c);
    return this.#escapedCharacter() ?? this.#escapedClass();
  }

  /** Behind a backslash. */
  #escape(): Test {
    const own = this.#escapedCharacter();
    return own === undefined ? this.#escapedClass() : (p) => p === own;
  }

  #escapedCharacter(): number | undefined {
    const rest = this.#characters.slice(this.#at, this.#at + 16).join('');
    const [hex, braced, two] = /^x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/.exec(rest) ?? [];
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest)?.[0];
    const [text, value] =
      hex !== undefined
        ? [hex, Number.parseInt(braced ?? two!, 16)]
        : octal !== undefined
          ? [octal, Number.parseInt(octal, 8)]
          : [];
    if (text !== undefined) {
      this.#at += text.length;
      return value! <= 0x10ffff ? value : this.#fail('a character beyond 10FFFF');
    }
    const c = this.#characters[this.#at] ?? this.#fail('it ends with a backslash');
    const control = Object.hasOwn(controls, c) ? controls[c] : undefined;
    if (control === undefined && /^\w$/.test(c)) return undefined;
    this.#at++;
    return code(control ?? c);
  }

  #escapedClass(): Test {
    const c = this.#next();
    if (Object.hasOwn(classes, c)) return classes[c]!;
    if (c !== 'p' && c !== 'P') this.#fail(`the escape \\${c}`);
    const rest = this.#characters.slice(this.#at, this.#at + 64).join('');
    const [text, negated, long, short] = /^(?:\{(\^?)(\w+)\}|(\w))/.exec(rest) ?? this.#fail('a class without a name');
    this.#at += text.length;
    const test = this.#property(long ?? short!);
    return (c === 'P') !== (negated === '^') ? not(test) : test;
  }

  /** A general category or a script. */
  #property(name: string): Test {
    if (name === 'Any') return () => true;
    for (const spelled of [name, `Script=${name}`]) {
      try {
        const property = new RegExp(`^\\p{${spelled}}$`, 'u');
        return (p) => property.test(String.fromCodePoint(p));
      } catch {
        // The next spelling.
      }
    }
    return this.#fail(`the class ${name}`);
  }
}

const atLineStart: Assertion = (before) => before === undefined || before === lineFeed;
const atLineEnd: Assertion = (_, after) => after === undefined || after === lineFeed;
