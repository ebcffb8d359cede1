import assert from 'node:assert/strict';
import test from 'node:test';
import { fromArrays } from '../../lib/data/numpy.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { evaluate } from '../../lib/evaluation/evaluate.ts';
import type { LowpEvent } from '../../lib/events/events.ts';
import { createNode } from '../../lib/ops/index.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { ModelBuilder } from '../support/model-builder.ts';

/** Scores are the input itself, doubled. */
function model() {
  const b = new ModelBuilder('double');
  b.result(b.op('Multiply', [b.parameter('x', [1, 3]), b.constant('two', [], [2])]));
  return b.model;
}

const inputs = [{ name: 'x', type: 'f32', shape: [1, 3] }] as const;
const scores = tensor('f32', [3, 3], [1, 2, 3, 3, 2, 1, 1, 3, 2]);
const data = fromArrays('data', new Map([['x', scores]]), inputs);

test('gives every metric as a fraction, and reports progress', async () => {
  const events: LowpEvent[] = [];
  const options = {
    device: 'REFERENCE',
    metrics: ['accuracy', 'accuracy@2'],
    onProgress: (e: LowpEvent) => events.push(e),
  };
  const result = await evaluate(model(), data, [2, 0, 0], options);
  assert.deepEqual(result, {
    samples: 3,
    metrics: { 'accuracy@1': 2 / 3, 'accuracy@2': 2 / 3 },
    perSample: { 'accuracy@1': [1, 1, 0], 'accuracy@2': [1, 1, 0] },
  });
  assert.deepEqual(events[0], { kind: 'phase:start', phase: 'evaluate', total: 3 });
  assert.equal(events.filter((e) => e.kind === 'phase:progress').length, 3);
  assert.equal(events.at(-1)?.kind, 'phase:done');
});

test('takes metrics of ones own', async () => {
  const mean = {
    name: 'mean label',
    direction: 'higher' as const,
    create() {
      const seen: number[] = [];
      return {
        update: (_: unknown, label: number) => void seen.push(label),
        value: () => seen.reduce((a, b) => a + b, 0) / seen.length,
      };
    },
  };
  const result = await evaluate(model(), data, [0, 1, 2], { device: 'REFERENCE', metrics: [mean] });
  assert.deepEqual(result.metrics, { 'mean label': 1 });
});

test('begins with the first state for each sample', async () => {
  const b = new ModelBuilder('summing');
  const attributes = { variable_id: 'sum', variable_type: 'f32', variable_shape: [1, 3] };
  const sum = b.op('Add', [b.op('ReadValue', [], attributes, 'read'), b.parameter('x', [1, 3])], {}, 'add');
  createNode(b.model, { type: 'Assign', name: 'write', attributes: { variable_id: 'sum' }, inputs: [sum] });
  b.result(sum);
  // With the state of the samples before it, the last one would be of class 2.
  const { perSample } = await evaluate(b.model, data, [2, 0, 1], { device: 'REFERENCE' });
  assert.deepEqual(perSample, { 'accuracy@1': [1, 1, 1] });
});

test('refuses labels of another length and empty data before anything runs', async () => {
  const code = (wanted: string) => (error: unknown) => error instanceof LowpError && error.code === wanted;
  await assert.rejects(evaluate(model(), data, [0, 1]), code('ERR_DATA_LABELS'));
  const empty = { name: 'empty', length: 0, async *[Symbol.asyncIterator]() {} };
  await assert.rejects(evaluate(model(), empty, []), code('ERR_DATA_EMPTY'));
});

test('stops when it is told to', async () => {
  const controller = new AbortController();
  const run = evaluate(model(), data, [0, 1, 2], {
    device: 'REFERENCE',
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await assert.rejects(run, (error) => error instanceof LowpError && error.code === 'ERR_ABORTED');
});
