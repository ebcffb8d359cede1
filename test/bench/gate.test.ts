import assert from 'node:assert/strict';
import test from 'node:test';
import { parseCpuList } from '../../bench/cpus.ts';
import { type Finding, isSlower, measureTwice } from '../../bench/gate/verdict.ts';
import { speedRatio } from '../../bench/statistics.ts';

const finding = (what: string, low: number, high: number): Finding => ({
  what,
  ratio: { value: (low + high) / 2, ci95: [low, high] },
});

test('slower means that the whole interval is below 0.97', () => {
  assert.ok(isSlower(finding('a', 0.9, 0.96)));
  assert.ok(!isSlower(finding('a', 0.9, 0.98)));
  assert.ok(!isSlower(finding('a', 1.1, 1.2)));
});

test('what looks slower is measured once more, and only that', async () => {
  const asked: string[][] = [];
  const measure = async (items: readonly string[]): Promise<Finding[]> => {
    asked.push([...items]);
    return items.map((item) => {
      if (item === 'slow') return finding(item, 0.8, 0.9);
      return asked.length === 1 && item === 'unlucky' ? finding(item, 0.9, 0.95) : finding(item, 0.99, 1.01);
    });
  };
  const found = await measureTwice(['fine', 'unlucky', 'slow'], measure);
  assert.deepEqual(asked, [
    ['fine', 'unlucky', 'slow'],
    ['unlucky', 'slow'],
  ]);
  assert.deepEqual(
    found.map((f) => [f.what, isSlower(f)]),
    [
      ['fine', false],
      ['unlucky', false],
      ['slow', true],
    ],
  );
});

test('a ratio is the median of the rounds, inside its interval', () => {
  const r = speedRatio([2, 2.2, 1.8, 100, 2], [1, 1, 1, 1, 1]);
  assert.equal(r.value, 2);
  assert.ok(r.ci95[0] >= 1.8 && r.ci95[0] <= 2 && r.ci95[1] >= 2);
});

test('lists of CPUs', () => {
  assert.deepEqual(parseCpuList('0-2,5'), [0, 1, 2, 5]);
  assert.deepEqual(parseCpuList('3'), [3]);
});
