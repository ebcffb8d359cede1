import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { compileNamePattern } from '../../lib/quantization/name-pattern.ts';

const patterns = [
  'conv',
  '^conv\\d+$',
  'a|b|cd',
  '(ab)*c',
  'x.*y',
  '[a-c]+[^a-c]',
  'layer\\.[0-9]+\\.weight',
  '^$',
  'a?b',
  '(?:ab|a)b',
  '\\w\\W\\s?',
  '[]a]',
  '[a-]',
  '',
];

describe('name patterns', () => {
  it('agree with regular expressions', () => {
    const names = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'abcxy0. -/]wlv') }),
      fc.constantFrom('conv12', 'layer.3.weight'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...patterns.filter((p) => p !== '[]a]')), names, (pattern, name) => {
        assert.equal(compileNamePattern(pattern)(name), new RegExp(pattern).test(name), `${pattern} on ${name}`);
      }),
      { numRuns: 2000 },
    );
  });

  it('take a bracket at the start of a set as itself', () => {
    assert.equal(compileNamePattern('[]a]')(']'), true);
  });

  it('come to an end where backtracking would not', () => {
    assert.equal(compileNamePattern('^(a+)+$')(`${'a'.repeat(5000)}b`), false);
  });

  for (const pattern of ['(a', 'a)', '*a', '[a', '\\', 'a{2}', '\\1', '[z-a]', 'a'.repeat(2000)]) {
    it(`refuses ${pattern.slice(0, 8)}`, () => {
      assert.throws(
        () => compileNamePattern(pattern),
        (e) => e instanceof LowpError && e.code === 'ERR_CONFIG_INVALID',
      );
    });
  }
});
