// lowp demo from start to end, with fewer test images.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { lowpJson, lowpOk, temporaryFolder } from '../support/cli.ts';

const folder = temporaryFolder();

interface DemoModel {
  readonly name: string;
  readonly file: string;
  readonly accuracy: number;
  readonly fileBytes: number;
  readonly benchmark: { readonly precision: string; readonly latencyMs: { readonly median: number } };
}

it('prints one table and writes the model and a page that stands alone', { timeout: 120_000 }, async () => {
  const out = path.join(folder, 'human');
  const { stdout, stderr } = await lowpOk(['demo', '--samples', '100', '--output-dir', out]);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 4, stdout);
  assert.match(lines[0]!, /model +accuracy +latency ms +images\/s +file +faster +smaller/);
  assert.match(lines[2]!, /^FP32 /);
  assert.match(lines[3]!, /^INT8 /);
  assert.match(stderr, /written in/);
  const html = readFileSync(path.join(out, 'report.html'), 'utf8');
  assert.equal(html.match(/<svg/g)?.length, 4);
  assert.doesNotMatch(html, /<script|src=|href=|url\(http/);
  assert.ok(statSync(path.join(out, 'glyphs_int8.bin')).size > 100_000);
});

it('keeps the accuracy within a point of FP32 at a third of the size', { timeout: 120_000 }, async () => {
  const out = path.join(folder, 'json');
  const document = await lowpJson(['demo', '--samples', '400', '--output-dir', out, '--quiet']);
  const [float, int8] = document.models as [DemoModel, DemoModel];
  assert.deepEqual([float.name, int8.name], ['FP32', 'INT8']);
  assert.deepEqual([float.benchmark.precision, int8.benchmark.precision], ['FP32', 'INT8']);
  assert.equal(document.samples, 400);
  assert.ok(float.accuracy > 0.93, `FP32 ${float.accuracy}`);
  assert.ok(Math.abs(float.accuracy - int8.accuracy) <= 0.01, `FP32 ${float.accuracy}, INT8 ${int8.accuracy}`);
  assert.ok(int8.fileBytes / float.fileBytes <= 0.35, `${int8.fileBytes} of ${float.fileBytes} bytes`);
  assert.ok(int8.benchmark.latencyMs.median > 0);
});
