import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { QuantizeReport } from '../../lib/quantize.ts';
import { barChart } from '../../lib/report/charts.ts';
import { escapeHtml, htmlPage, htmlTable, paragraph, writePage } from '../../lib/report/html.ts';
import { writeQuantizationReport } from '../../lib/report/quantization-report.ts';

const hostile = '<script>alert("1")</script>&\'';

test('every text from outside is escaped', () => {
  assert.equal(escapeHtml(hostile), '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;');
  const table = htmlTable([hostile], [[hostile]]);
  const chart = barChart(hostile, [hostile, 'b'], [{ name: hostile, values: [1, 2] }], hostile);
  const page = htmlPage(hostile, [{ title: hostile, body: [table, paragraph(hostile), chart] }]);
  assert.doesNotMatch(page, /<script/);
});

test('a page brings everything along', () => {
  const page = htmlPage('t', [
    { title: 's', body: [barChart('c', ['a', 'b'], [{ name: 'n', values: [1, 2000] }], 'ms')] },
  ]);
  assert.match(page, /^<!doctype html>/);
  assert.match(page, /default-src 'none'/);
  assert.match(page, /<svg/);
  assert.doesNotMatch(page, /<script|src=|<link|url\(http|@import/);
});

test('numbers stand to the right', () => {
  assert.match(htmlTable(['a', 'b'], [['1.5 ms', 'conv1']]).html, /<td class="number">1\.5 ms<\/td><td>conv1<\/td>/);
});

test('the report of a quantization lists what stays in floating point and why', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lowp-report-'));
  try {
    const report: QuantizeReport = {
      nodes: [
        { name: 'conv1', type: 'Convolution', quantized: true, reason: 'its inputs are rounded' },
        { name: hostile, type: 'SoftMax', quantized: false, reason: 'SoftMax has no 8-bit form' },
      ],
      warnings: ['few samples'],
      samples: 3,
      seconds: { total: 1, calibrate: 0.5, correct: 0.25 },
      weightBytes: { before: 4000, after: 1000 },
    };
    const file = path.join(folder, 'new/report.html');
    await writeQuantizationReport(file, report);
    const html = readFileSync(file, 'utf8');
    for (const text of ['conv1', 'SoftMax has no 8-bit form', 'few samples', '25.0 %', '&lt;script&gt;'])
      assert.ok(html.includes(text), text);
    writeFileSync(path.join(folder, 'file'), '');
    await assert.rejects(
      writePage(path.join(folder, 'file/page.html'), html),
      (error) => error instanceof LowpError && error.code === 'ERR_IO_WRITE',
    );
    assert.deepEqual(readdirSync(folder).sort(), ['file', 'new']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
