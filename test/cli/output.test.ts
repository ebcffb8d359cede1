import assert from 'node:assert/strict';
import test from 'node:test';
import { formatBytes, formatPercent, table } from '../../lib/cli/output.ts';

test('a table puts numbers to the right and text to the left, without blanks at the end of lines', () => {
  const text = table(
    ['model', 'ms', 'note'],
    [
      ['a', '1.25', 'x'],
      ['longer', '12.5', ''],
    ],
  );
  assert.equal(text, ['model     ms  note', '──────  ────  ────', 'a       1.25  x', 'longer  12.5'].join('\n'));
});

test('units count as numbers, names with digits do not', () => {
  const [, , first] = table(['aaaaaa', 'bbbbbb'], [['1.0 %', 'v1']]).split('\n');
  assert.equal(first, ' 1.0 %  v1');
});

test('a table without rows is its head', () => {
  assert.equal(table(['a', 'b'], []), 'a  b\n─  ─');
});

test('bytes are shown in powers of 1000 with three digits', () => {
  assert.deepEqual([0, 999, 1000, 12_345, 999_499, 1_234_567, 274e6, 5e9].map(formatBytes), [
    '0 B',
    '999 B',
    '1.00 kB',
    '12.3 kB',
    '999 kB',
    '1.23 MB',
    '274 MB',
    '5.00 GB',
  ]);
});

test('fractions are shown as percent', () => {
  assert.equal(formatPercent(0.85123), '85.12 %');
});
