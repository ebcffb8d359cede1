import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fullMatcher } from '../../../lib/ops/string/regular-expression.ts';

/** Texts that a pattern matches, and others that it does not. */
const cases: readonly (readonly [pattern: string, matched: readonly string[], others: readonly string[]])[] = [
  ['', [''], ['a']],
  ['abc', ['abc'], ['ab', 'abcd', 'xabc']],
  ['a|bc|', ['a', 'bc', ''], ['b', 'abc']],
  ['(a|b)*c+?', ['c', 'abbacc'], ['ab', 'cb']],
  ['a{2}', ['aa'], ['a', 'aaa']],
  ['a{2,}', ['aa', 'aaaa'], ['a']],
  ['(ab){1,2}', ['ab', 'abab'], ['', 'ababab']],
  ['a{,2}', ['a{,2}'], ['aa']],
  ['.', ['x', '中', '😀'], ['', '\n', 'xy']],
  ['(?s).', ['\n'], ['']],
  ['^a$', ['a'], ['a\n']],
  ['(?m)a$\n^b', ['a\nb'], ['ab']],
  ['\\Aa\\z', ['a'], ['b']],
  ['\\d\\D\\s\\S\\w\\W', ['1x y_-'], ['xx y_-']],
  ['[a-c\\d_.-]+', ['a1_.-'], ['d', '']],
  ['[^a-c]', ['d', '\n'], ['a']],
  ['[]a]+', [']a'], ['b']],
  ['[^]a]', ['b'], [']']],
  ['[[:alpha:][:^space:]]', ['x', '1'], [' ']],
  ['\\bno\\b.*\\Bx', ['no xx'], ['nox', 'no x']],
  ['(?i)straße[^a]', ['STRAßEb'], ['straßea', 'straßeA']],
  ['(?i:a)b', ['Ab'], ['AB']],
  ['a(?i)b|c', ['aB', 'C'], ['AB']],
  ['(?P<year>\\d{4})-(?<month>\\d\\d)', ['2024-05'], ['24-05']],
  ['\\Qa.b\\E+', ['a.b', 'a.bb'], ['axb']],
  ['\\x41\\x{4e2d}\\101\\t\\.', ['A中A\t.'], ['A中A\tx']],
  ['\\p{Greek}\\pL\\P{L}\\p{^Lu}', ['αx1a'], ['αx1A']],
  ['www\\.[\\w.-]+\\.\\bcom\\b', ['www.google.com'], ['www.bbc.co.uk']],
  ['(\\W|^)[\\w.\\-]{0,25}@(yahoo|gmail)\\.com(\\W|$)', ['account@gmail.com'], ['account@hotmail.com', 'not email']],
];

describe('fullMatcher', () => {
  it('matches whole texts', () => {
    for (const [pattern, matched, others] of cases) {
      const matches = fullMatcher(pattern);
      for (const text of matched) assert.ok(matches(text), `${pattern} does not match ${JSON.stringify(text)}`);
      for (const text of others) assert.ok(!matches(text), `${pattern} matches ${JSON.stringify(text)}`);
    }
  });

  it('agrees with RegExp where both have the same syntax', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\d', '\\b', '^', '$', '(?:a|b)', '(?:ab|)');
    const piece = fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,3}', '*?'));
    const pieces = fc.array(piece, { maxLength: 5 }).map((list) =>
      // RegExp of the flag u does not repeat assertions.
      list.map(([a, r]) => (/^(\^|\$|\\b)$/.test(a) ? a : a + r)).join(''),
    );
    const pattern = fc.array(pieces, { minLength: 1, maxLength: 3 }).map((list) => list.join('|'));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', ' '), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        assert.equal(fullMatcher(p)(t), new RegExp(`^(?:${p})$`, 'u').test(t), `${p} ${JSON.stringify(t)}`);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads patterns whose trials would double with every character', { timeout: 60_000 }, () => {
    const text = 'a'.repeat(2000);
    assert.ok(!fullMatcher('(a*)*b')(text));
    assert.ok(!fullMatcher('(a|a|aa)+b')(text));
    assert.ok(fullMatcher('(?:a?){300}a{300}')('a'.repeat(300)));
  });

  it('refuses what RE2 does not have', () => {
    const wrong = ['(', ')', 'a)', '(?=a)', '(?!a)', '(?<=a)', '(a)\\1', '*', 'a**', 'a{2}{3}', 'a{1001}', 'a{3,2}'];
    const others = ['[b-a]', '[a', '[[:x:]]', '\\', '\\q', '\\p{Nothing}', '\\x{110000}', '\\x', '(?z)', '(?P<a'];
    for (const pattern of [...wrong, ...others]) {
      assert.throws(() => fullMatcher(pattern), { code: 'ERR_OP_ATTRIBUTE' }, pattern);
    }
  });

  it('bounds repetitions and the depth of groups', () => {
    for (const pattern of ['((a{100}){100}){100}', '('.repeat(100_000)]) {
      assert.throws(() => fullMatcher(pattern), { code: 'ERR_OP_ATTRIBUTE' });
    }
  });
});
