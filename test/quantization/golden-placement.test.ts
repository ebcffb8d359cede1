// Where real tools put quantizers, and where ours are: `test/golden/pot-placement.md` is this comparison as a page.
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { assertGolden } from '../support/golden.ts';
import { type Comparison, comparePair, goldenPairs } from '../support/golden-pairs.ts';
import { sharedFolder } from '../support/shared-folder.ts';

const { path: folder, skip } = sharedFolder('irs');

/** Share of sites that must be the same. */
const leastAgreement = 0.98;

describe('placement beside real quantized models', { skip }, () => {
  const comparisons: Comparison[] = [];
  before(() => {
    for (const pair of goldenPairs) comparisons.push(comparePair(folder, pair));
  });

  it(`has at least ${100 * leastAgreement} % of all sites in common`, () => {
    const common = comparisons.reduce((sum, c) => sum + c.common, 0);
    const all = comparisons.reduce((sum, c) => sum + c.common + c.differences.length, 0);
    assert.ok(common >= leastAgreement * all, `${common} of ${all}`);
  });

  it('differs nowhere without a reason, and every given reason is needed', () => {
    for (const { pair, differences } of comparisons) {
      assert.deepEqual(
        differences.filter((d) => d.reason === undefined),
        [],
        pair.quantized,
      );
      for (const { operation } of pair.floats ?? []) {
        assert.ok(
          differences.some((d) => (d.reason ?? '').split(': ', 1).join().split(', ').includes(operation)),
          `${pair.quantized}: ${operation} explains nothing`,
        );
      }
    }
  });

  it('has the same levels and granularity at every common site', () => {
    for (const { pair, sameForm } of comparisons) assert.equal(sameForm.equal, sameForm.of, pair.quantized);
  });

  it('gives weights the same steps, unless data or half of the range was used', () => {
    for (const { pair, steps } of comparisons) assert.equal(steps.other, 0, pair.quantized);
  });

  it('is described by the page', () => {
    assertGolden('pot-placement.md', page(comparisons));
  });
});

function page(comparisons: readonly Comparison[]): string {
  const total = { common: 0, ours: 0, golden: 0 };
  const rows = comparisons.map((c) => {
    const ours = c.differences.filter((d) => d.side === 'ours').length;
    const golden = c.differences.length - ours;
    total.common += c.common;
    total.ours += ours;
    total.golden += golden;
    const { equal, halved, aligned, other } = c.steps;
    const cells = [c.common, ours, golden, `${c.sameForm.equal} of ${c.sameForm.of}`, equal, halved, aligned, other];
    return [nameOf(c), c.pair.algorithm, c.pair.preset, ...cells];
  });
  const all = total.common + total.ours + total.golden;
  const share = ((100 * total.common) / all).toFixed(2);
  const differences = comparisons.flatMap((c) =>
    c.differences.map((d) => [nameOf(c), d.site, d.side, d.reason ?? '?']),
  );
  return [
    '# Placement beside POT and NNCF',
    '',
    'Written by `UPDATE_GOLDEN=1 node --test dist/test/quantization/golden-placement.test.js` and checked by the same test. Every original of `../shared/irs/GOLDEN.md` is prepared and gets quantizers for the device ANY; a site is an input `type:name#port` that reads a quantizer of a computed value. Operations with generated names are matched by what they read.',
    '',
    `**${total.common} of ${all} sites are the same (${share} %)**; ${total.ours} only ours, ${total.golden} only theirs.`,
    '',
    table(
      [
        'model',
        'quantized by',
        'preset',
        'same',
        'ours only',
        'theirs only',
        'same form',
        'steps',
        '× 2',
        'aligned',
        'other',
      ],
      rows,
    ),
    '',
    'Same form: equal levels, and one range per tensor or one per channel on both sides. The last four columns count output channels of weights: the step that the largest weight gives; twice that step, because the first convolutions of both tools use half of the range against saturation (ours with `--saturation-fix first_layer`); another step, because channel alignment had scaled the weights with data before; another step.',
    '',
    '## Every difference',
    '',
    'The NNCF pair has no difference: NNCF took its placement rules from POT. An operation that goes back to floating point loses its whole group of quantizers: all that share a reader with its own, through operations that only move values. Removing those groups from ours leaves exactly the sites of the quantized models.',
    '',
    table(['model', 'site', 'side', 'reason'], differences),
    '',
  ].join('\n');
}

function nameOf({ pair }: Comparison): string {
  return path.basename(pair.original);
}

/** Columns as wide as their longest cell, as the formatter writes tables. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = head.map((title, i) => Math.max(3, title.length, ...rows.map((row) => String(row[i]).length)));
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell, i) => String(cell).padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head), line(widths.map((w) => '-'.repeat(w))), ...rows.map(line)].join('\n');
}
