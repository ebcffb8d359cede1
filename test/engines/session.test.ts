import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compile } from '../../lib/engines/session.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import type { Model } from '../../lib/graph/model.ts';
import { type Tensor, tensor, zeros } from '../../lib/tensor/tensor.ts';
import { ModelBuilder } from '../support/model-builder.ts';

/** y = relu(x · 2), any batch. */
function model(): Model {
  const b = new ModelBuilder('m');
  b.result(b.op('ReLU', [b.op('Multiply', [b.parameter('x', [-1, 4]), b.constant('two', [], [2])])]), 'y');
  return b.model;
}

function rows(n: number, value = 1): Tensor {
  return tensor('f32', [n, 4], new Float32Array(4 * n).fill(value));
}

async function codeOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    return error instanceof LowpError ? error.code : String(error);
  }
  return 'nothing was thrown';
}

const output = (result: Record<string, Tensor>): Tensor => Object.values(result)[0]!;

for (const device of ['CPU', 'REFERENCE']) {
  describe(`a session on ${device}`, () => {
    it('compiles for each shape it meets, and keeps serving the earlier ones', async () => {
      await using session = await compile(model(), { device, threads: 1 });
      for (const n of [1, 3, 1, 2, 4, 5, 6, 7, 8, 9, 10, 1]) {
        const y = output(await session.infer({ x: rows(n, n - 2) }));
        assert.deepEqual(y.shape, [n, 4]);
        assert.deepEqual([...new Set(Array.from(y.data, Number))], [Math.max(0, 2 * (n - 2))]);
      }
    });

    it('serves calls that come at once in their order', async () => {
      await using session = await compile(model(), { device, threads: 2 });
      const results = await Promise.all([1, 2, 3, 4].map((n) => session.infer({ x: rows(1, n) })));
      assert.deepEqual(
        results.map((r) => output(r).data[0]),
        [2, 4, 6, 8],
      );
    });

    it('refuses feeds that do not fit, and goes on', async () => {
      await using session = await compile(model(), { device, threads: 1 });
      assert.equal(await codeOf(session.infer({})), 'ERR_RUN_INPUT');
      assert.equal(await codeOf(session.infer({ z: rows(1) })), 'ERR_RUN_INPUT');
      assert.equal(await codeOf(session.infer({ x: rows(1), z: rows(1) })), 'ERR_RUN_INPUT');
      assert.equal(await codeOf(session.infer({ x: zeros('f64', [1, 4]) })), 'ERR_RUN_INPUT');
      assert.equal(await codeOf(session.infer({ x: zeros('f32', [4]) })), 'ERR_RUN_INPUT');
      assert.equal(output(await session.infer({ x: rows(1) })).data[0], 2);
    });

    it('stops for an aborted signal, and goes on', async () => {
      await using session = await compile(model(), { device, threads: 1 });
      assert.equal(await codeOf(session.infer({ x: rows(1) }, { signal: AbortSignal.abort() })), 'ERR_ABORTED');
      assert.equal(output(await session.infer({ x: rows(1) })).data[0], 2);
      assert.equal(await codeOf(compile(staticModel(), { device, signal: AbortSignal.abort() })), 'ERR_ABORTED');
    });

    it('waits for what is running when it is closed, and refuses what comes after', async () => {
      const session = await compile(model(), { device, threads: 1 });
      const running = session.infer({ x: rows(1) });
      await session.close();
      await session.close();
      assert.equal(output(await running).data[0], 2);
      assert.equal(await codeOf(session.infer({ x: rows(1) })), 'ERR_RUN_CLOSED');
      assert.equal(await codeOf(session.prepare({ x: [1, 4] })), 'ERR_RUN_CLOSED');
    });

    it('tries again after shapes that do not fit', async () => {
      await using session = await compile(summed(), { device, threads: 1 });
      assert.equal(await codeOf(session.infer({ x: rows(3) })), 'ERR_SHAPE_MISMATCH');
      assert.equal(await codeOf(session.infer({ x: rows(3) })), 'ERR_SHAPE_MISMATCH');
      assert.equal(output(await session.infer({ x: rows(2) })).data[7], 9);
    });
  });
}

/** y = x + 8 on two rows, of a model that does not say so. */
function summed(): Model {
  const b = new ModelBuilder('sum');
  b.result(b.op('Add', [b.parameter('x', [-1, 4]), b.constant('c', [2, 4], new Array<number>(8).fill(8))]));
  return b.model;
}

function staticModel(): Model {
  const b = new ModelBuilder('static');
  b.result(b.op('ReLU', [b.parameter('x', [1, 4])]));
  return b.model;
}

it('a device that does not exist is refused by name', async () => {
  assert.equal(await codeOf(compile(model(), { device: 'TPU' })), 'ERR_CONFIG_INVALID');
  assert.equal(await codeOf(compile(model(), { device: 'constructor' })), 'ERR_CONFIG_INVALID');
});

describe('a session with several streams', () => {
  it('gives every inference the bits that one stream gives', async () => {
    const b = new ModelBuilder('net');
    const x = b.parameter('x', [-1, 3, 20, 20]);
    b.result(b.op('ReLU', [b.convolution(x, b.weights('w', [16, 3, 3, 3]))]));
    const inputs = Array.from({ length: 12 }, (_, i) => {
      const data = Float32Array.from({ length: 3 * 400 * (1 + (i % 2)) }, (_, k) => Math.sin(i * 1000 + k));
      return { x: tensor('f32', [1 + (i % 2), 3, 20, 20], data) };
    });
    await using one = await compile(b.model, { threads: 1 });
    const expected: unknown[] = [];
    for (const feeds of inputs) expected.push(await one.infer(feeds));
    for (const [streams, threads] of [
      [2, 2],
      [3, 7],
      [4, 2],
    ] as const) {
      await using session = await compile(b.model, { streams, threads });
      assert.deepEqual(await Promise.all(inputs.map((feeds) => session.infer(feeds))), expected);
    }
  });

  it('never runs more streams than threads, and says how many run', async () => {
    for (const [streams, threads, expected] of [
      [1, 4, 1],
      [2, 4, 2],
      [3, 4, 3],
      [9, 2, 2],
    ] as const) {
      await using session = await compile(staticModel(), { streams, threads });
      assert.equal((await session.prepare({ x: [1, 4] })).streams, expected);
    }
  });

  it('waits for all that runs when it is closed', async () => {
    const session = await compile(model(), { streams: 2, threads: 2 });
    const running = [1, 2, 3, 4, 5].map((n) => session.infer({ x: rows(n, n) }));
    await session.close();
    assert.deepEqual(
      (await Promise.all(running)).map((r) => output(r).data[0]),
      [2, 4, 6, 8, 10],
    );
    assert.equal(await codeOf(session.infer({ x: rows(1) })), 'ERR_RUN_CLOSED');
  });

  it('keeps what is running when it drops shapes', async () => {
    await using session = await compile(model(), { streams: 3, threads: 3 });
    const sizes = Array.from({ length: 30 }, (_, i) => 1 + (i % 15));
    const results = await Promise.all(sizes.map((n) => session.infer({ x: rows(n, n) })));
    assert.deepEqual(
      results.map((r) => output(r).shape[0]),
      sizes,
    );
  });

  it('keeps as many shapes as it is told, those used last', async () => {
    await using session = await compile(model(), { keptShapes: 2 });
    const infer = (n: number) => session.infer({ x: rows(n) });
    const kept = async (n: number, known: unknown) => (await session.prepare({ x: [n, 4] })) === known;
    await infer(1);
    const [one, two] = [await session.prepare({ x: [1, 4] }), await session.prepare({ x: [2, 4] })];
    await infer(1);
    await infer(3);
    assert.ok(await kept(1, one));
    assert.ok(!(await kept(2, two)));
  });

  it('refuses a number that is none', async () => {
    for (const n of [0, 1.5, -1]) {
      assert.equal(await codeOf(compile(model(), { streams: n })), 'ERR_CONFIG_INVALID');
      assert.equal(await codeOf(compile(model(), { keptShapes: n })), 'ERR_CONFIG_INVALID');
    }
  });
});
