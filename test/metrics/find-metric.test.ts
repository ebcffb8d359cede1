import assert from 'node:assert/strict';
import test from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { findMetric, metricDefinitions } from '../../lib/metrics/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';

const code = (wanted: string) => (error: unknown) => error instanceof LowpError && error.code === wanted;

test('options stand behind a colon and are checked', () => {
  assert.equal(findMetric('psnr:channel=y,border=2').unit, 'dB');
  for (const text of [
    'miou:ignore',
    'miou:ignore=-1',
    'miou:foo=1',
    'psnr:channel=u',
    'f1:iou=2',
    'map:iou=',
    'dice:=1',
  ])
    assert.throws(() => findMetric(text), code('ERR_CONFIG_INVALID'), text);
  for (const text of ['map@', 'map@2', 'hr@0', 'hr', 'iou', ':'])
    assert.throws(() => findMetric(text), code('ERR_METRIC_UNKNOWN'), text);
});

test('the usage of every metric is one', () => {
  for (const { usage } of metricDefinitions)
    for (const text of usage.split('; ').flatMap((u) => u.split(/, (?=map)/))) {
      const metric = findMetric(text.replace('K', '5').replaceAll('=N', '=2').replace('@IOU', '@0.5'));
      assert.equal(metric.direction, 'higher');
      assert.ok(metric.create().perSample, text);
    }
});

test('similarity to a reference by hand', () => {
  const measure = (metric: string, found: number[], real: number[]): number => {
    const run = findMetric(metric).create();
    run.update({ y: tensor('f32', [found.length], found) }, tensor('f32', [real.length], real));
    return run.value();
  };
  // Signal 9 + 16 = 25, noise 0.25: 20 dB.
  assert.ok(Math.abs(measure('sqnr', [3.5, 4], [3, 4]) - 20) < 1e-9);
  assert.ok(Math.abs(measure('cosine', [1, 0], [1, 1]) - Math.SQRT1_2) < 1e-12);
  assert.throws(() => measure('sqnr', [1], [1, 2]), code('ERR_DATA_LABELS'));
});
