// Models for other input shapes: what the graph allows, and what it does not.
import assert from 'node:assert/strict';
import test from 'node:test';
import { compile } from '../../lib/engines/session.ts';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { openModel } from '../../lib/formats/index.ts';
import { reshape } from '../../lib/ops/infer-model.ts';
import { unknownRank } from '../../lib/tensor/shape.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { irText } from '../support/ir-text.ts';
import { ModelBuilder } from '../support/model-builder.ts';

/** A convolution, then all features in a row: `[batch, 2 · 4 · 4]`, the batch as the Reshape has it. */
function network(batch: number) {
  const b = new ModelBuilder('net', 5);
  const y = b.convolution(b.parameter('x', [1, 3, 4, 4]), b.weights('w', [2, 3, 3, 3]));
  const target = b.constant('shape', [2], [batch, 32], 'i64');
  b.result(b.op('Reshape', [y, target], { special_zero: true }, 'flatten'));
  return b.model;
}

test('another batch goes through a graph that copies it', async () => {
  const model = network(0);
  const three = reshape(model, { x: [3, 3, 4, 4] });
  assert.deepEqual(three.results()[0]!.output.fact.shape, [3, 32]);
  assert.deepEqual(model.results()[0]!.output.fact.shape, [1, 32], 'the model itself stays as it is');
  await using session = await compile(three);
  const [out] = Object.values(await session.infer({ x: tensor('f32', [3, 3, 4, 4], new Float32Array(144)) }));
  assert.deepEqual(out!.shape, [3, 32]);
});

test('a dynamic batch is compiled for each size that comes', async () => {
  await using session = await compile(reshape(network(0), { x: [-1, 3, 4, 4] }));
  for (const n of [1, 4, 2, 4]) {
    const [out] = Object.values(await session.infer({ x: tensor('f32', [n, 3, 4, 4], new Float32Array(n * 48)) }));
    assert.deepEqual(out!.shape, [n, 32]);
  }
});

test('a batch that the graph does not allow is refused by name', () => {
  const isNamed = (e: unknown) => e instanceof LowpError && e.node === 'flatten' && /\[3,2,4,4\]/.test(e.message);
  assert.throws(() => reshape(network(1), { x: [3, 3, 4, 4] }), isNamed);
  assert.throws(
    () => reshape(network(0), { x: [3, 3, 4] }),
    (e) => e instanceof LowpError && e.code === 'ERR_SHAPE_RANK',
  );
});

test('a constant target that would mix the samples of another batch is refused, with what was changed', () => {
  const mixing = (target: number[]) => {
    const b = new ModelBuilder('net', 5);
    const shape = b.constant('shape', [target.length], target, 'i64');
    b.result(b.op('Reshape', [b.parameter('x', [1, 3, 4, 4]), shape], { special_zero: true }, 'flat'));
    return b.model;
  };
  assert.throws(
    () => reshape(mixing([1, 3, -1]), { x: [2, 3, 4, 4] }),
    (e) =>
      e instanceof LowpError &&
      e.code === 'ERR_SHAPE_MISMATCH' &&
      e.node === 'flat' &&
      /\[1,3,-1\] is for a batch of 1; with 2 it would mix samples/.test(e.message) &&
      /'x' has shape \[1,3,4,4\] in the model and is given \[2,3,4,4\]/.test(e.help ?? ''),
  );
  const allowed: [number[], number[], number[]][] = [
    [
      [1, 3, -1],
      [1, 3, 8, 8],
      [1, 3, 64],
    ], // the batch is what it was
    [
      [-1, 48],
      [2, 3, 4, 4],
      [2, 48],
    ],
    [
      [0, 3, -1],
      [2, 3, 4, 4],
      [2, 3, 16],
    ],
  ];
  for (const [target, input, output] of allowed)
    assert.deepEqual(reshape(mixing(target), { x: input }).results()[0]!.output.fact.shape, output);
});

test('a dynamic batch may not meet a target that repeats the axes behind another batch', async () => {
  const of = (input: number[], target: number[]) => {
    const b = new ModelBuilder('net', 5);
    const shape = b.constant('shape', [target.length], target, 'i64');
    b.result(b.op('Reshape', [b.parameter('x', input), shape], { special_zero: true }, 'flat'));
    return b.model;
  };
  const run = async (input: number[], target: number[], batch: number) => {
    await using session = await compile(of(input, target));
    const shape = [batch, ...input.slice(1)];
    const x = tensor('f32', shape, new Float32Array(shape.reduce((product, d) => product * d, 1)));
    return Object.values(await session.infer({ x }))[0]!.shape;
  };
  const image = [-1, 4, 2, 3];
  for (const target of [
    [1, 4, -1],
    [1, 4, 2, -1],
    [1, 0, -1],
    [3, 4, -1],
  ]) {
    await assert.rejects(run(image, target, 2), (e) => {
      assert.ok(e instanceof LowpError);
      assert.equal(e.code, 'ERR_SHAPE_MISMATCH');
      assert.equal(e.node, 'flat');
      assert.match(e.message, new RegExp(`is for a batch of ${target[0]}; with 2 it would mix samples`));
      return true;
    });
    assert.deepEqual((await run(image, target, target[0]!)).slice(0, 2), [target[0], 4]);
  }
  // An axis in front of the samples, parts of a list, samples joined, and a batch that is copied.
  const allowed: [number[], number[], number, number[]][] = [
    [image, [1, -1, 4, 2, 3], 2, [1, 2, 4, 2, 3]],
    [[-1, 6], [2, -1], 4, [2, 12]],
    [[-1, 6], [2, 3, -1], 4, [2, 3, 4]],
    [image, [1, -1], 2, [1, 48]],
    [image, [0, 4, -1], 2, [2, 4, 6]],
  ];
  for (const [input, target, batch, shape] of allowed) assert.deepEqual(await run(input, target, batch), shape);
});

/** An IR of one ReLU whose input `x` has this shape. */
function reluFile(shape: string): Uint8Array {
  const xml = irText(
    [
      { id: 0, type: 'Parameter', name: 'x', data: `element_type="f32" shape="${shape}"` },
      { id: 1, type: 'ReLU', inputs: 1 },
      { id: 2, type: 'Result', inputs: 1, outputs: 0 },
    ],
    [
      [0, 0, 1, 0],
      [1, 1, 2, 0],
    ],
  );
  return new TextEncoder().encode(xml);
}

test('a model is opened for other input shapes than those in the file', async () => {
  const bytes = reluFile('1,2');
  const model = await openModel(bytes, { shapes: { x: [-1, 3] } });
  assert.deepEqual(model.results()[0]!.output.fact.shape, [-1, 3]);
  const code = (wanted: string) => (e: unknown) => e instanceof LowpError && e.code === wanted;
  await assert.rejects(openModel(bytes, { shapes: { y: [1, 3] } }), code('ERR_GRAPH_NAME'));
  await assert.rejects(openModel(bytes, { shapes: { x: [3] } }), code('ERR_SHAPE_RANK'));
  for (const file of [bytes, reluFile('...')])
    await assert.rejects(openModel(file, { shapes: { x: [-2, 3] } }), code('ERR_OP_ATTRIBUTE'));
});

test('an input of dynamic rank takes the shape that is given when the model is opened', async () => {
  const bytes = reluFile('...');
  const model = await openModel(bytes, { shapes: { x: [-1, 2] } });
  assert.deepEqual(model.results()[0]!.output.fact.shape, [-1, 2]);
  assert.deepEqual((await openModel(bytes)).results()[0]!.output.fact.shape, unknownRank);
});
