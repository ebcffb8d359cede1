// Variables: what a session keeps from one inference to the next.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { compile, type Session } from '../../lib/engines/session.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { readIr } from '../../lib/formats/ir/read.ts';
import { writeIr } from '../../lib/formats/ir/write.ts';
import type { Model } from '../../lib/graph/model.ts';
import { createNode } from '../../lib/ops/index.ts';
import { toFloat64 } from '../../lib/tensor/convert.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { sharedFolder } from '../support/shared-folder.ts';

/** `sum += x`, one number for each sample of the batch; the variable begins with `first`, or with zeros. */
function adding(first?: number): Model {
  const b = new ModelBuilder('adding');
  const x = b.parameter('x', [2]);
  const attributes = { variable_id: 'sum', variable_type: 'f32', variable_shape: [2] };
  const start = first === undefined ? [] : [b.constant('first', [2], [first, first])];
  const sum = b.op('Add', [b.op('ReadValue', start, attributes, 'read'), b.op('ReLU', [x])], {}, 'add');
  createNode(b.model, { type: 'Assign', name: 'write', attributes: { variable_id: 'sum' }, inputs: [sum] });
  b.result(sum);
  return b.model;
}

async function add(session: Session, a: number, b: number): Promise<number[]> {
  return [...toFloat64(Object.values(await session.infer({ x: tensor('f32', [2], [a, b]) }))[0]!)];
}

for (const device of ['CPU', 'REFERENCE']) {
  test(`a session keeps its state until it is reset, on ${device}`, async () => {
    await using session = await compile(adding(), { device });
    assert.deepEqual(await add(session, 1, 2), [1, 2]);
    assert.deepEqual(await add(session, 10, -20), [11, 2]);
    assert.deepEqual([...toFloat64(session.state.get('sum')!)], [11, 2]);
    await using other = await compile(adding(), { device });
    assert.deepEqual(await add(other, 1, 1), [1, 1], 'another session has a state of its own');
    await session.resetState();
    assert.deepEqual(await add(session, 5, 6), [5, 6]);
    await session.resetState({ sum: tensor('f32', [2], [100, 200]) });
    assert.deepEqual(await add(session, 5, 6), [105, 206]);
  });
}

test('a variable begins with its first value', async () => {
  await using session = await compile(adding(7));
  assert.deepEqual(await add(session, 1, 2), [8, 9]);
  assert.deepEqual(await add(session, 1, 2), [9, 11]);
});

test('inferences follow each other although they are asked for at once, with several streams too', async () => {
  await using session = await compile(adding(), { streams: 2, threads: 2 });
  const sums = await Promise.all(Array.from({ length: 10 }, () => add(session, 1, 2)));
  assert.deepEqual(
    sums,
    sums.map((_, i) => [i + 1, 2 * (i + 1)]),
  );
});

test('a run that fails changes no state', async () => {
  await using session = await compile(adding());
  await add(session, 1, 2);
  const aborted = session.infer({ x: tensor('f32', [2], [1, 1]) }, { signal: AbortSignal.abort() });
  await assert.rejects(aborted, (e) => e instanceof LowpError && e.code === 'ERR_ABORTED');
  assert.deepEqual(await add(session, 1, 2), [2, 4]);
});

test('runs without a state begin anew', async () => {
  await using executable = await compileNative(adding(3));
  for (let i = 0; i < 2; i++) {
    const { outputs } = await executable.run({ x: tensor('f32', [2], [1, 2]) });
    assert.deepEqual([...toFloat64(Object.values(outputs)[0]!)], [4, 5]);
  }
});

test('a state that does not fit is refused', async () => {
  await using session = await compile(adding());
  const code = (wanted: string) => (e: unknown) => e instanceof LowpError && e.code === wanted;
  await assert.rejects(session.resetState({ other: tensor('f32', [1], [1]) }), code('ERR_GRAPH_NAME'));
  await session.resetState({ sum: tensor('f32', [3], [1, 2, 3]) });
  await assert.rejects(add(session, 1, 2), code('ERR_RUN_INPUT'));
});

const irs = sharedFolder('irs');
const summator = path.join(irs.path, 'openvinotoolkit__model_server/src/test/summator/1/summator');

test('a real IR with a variable keeps its sum, and is written with it', { skip: irs.skip }, async () => {
  const model = readIr(readFileSync(`${summator}.xml`), readFileSync(`${summator}.bin`));
  const written = writeIr(model, { version: 10 });
  const again = readIr(written.xml, written.bin);
  assert.equal(writeIr(again, { version: 10 }).xml, written.xml);
  await using session = await compile(again);
  for (const sum of [2, 4, 6]) {
    const [value] = Object.values(await session.infer({ input: tensor('f32', [1, 1], [2]) }));
    assert.deepEqual([...toFloat64(value!)], [sum]);
  }
});
