// Commands on models whose inputs have no fixed size, and on models for other sizes than their own.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { saveModel } from '../../lib/formats/index.ts';
import { readNpy, writeNpy } from '../../lib/tensor/npy.ts';
import { unknownRank } from '../../lib/tensor/shape.ts';
import { tensor } from '../../lib/tensor/tensor.ts';
import { lowp, lowpFails, lowpJson, lowpOk, temporaryFolder } from '../support/cli.ts';
import { Network } from '../support/network.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);

/** A convolution of images of any size, or of one size and then a row of constant length. */
async function network(name: string, shape: number[], target?: number[]): Promise<string> {
  const net = new Network(3);
  const y = net.op('ReLU', 'relu', [net.convolution('conv', net.input('x', shape), 4)]);
  net.result(target ? net.op('Reshape', 'flat', [y, net.integers('target', target)]) : y, 'y');
  await saveModel(net.model, at(name));
  return at(name);
}

const net = new Network(4);
for (const [name, h, w] of [['a', 6, 8], ['b', 5, 5], ['c', 6, 8]] as const) // biome-ignore format: a table
  writeFileSync(at(`${name}.npy`), writeNpy(net.noise([1, 3, h, w])));
writeFileSync(at('two.npy'), writeNpy(net.noise([2, 3, 6, 8])));

describe('a network for images of any size', async () => {
  const free = await network('free.xml', [-1, 3, -1, -1]);

  it('runs on samples of different shapes, and gives a file for each', async () => {
    const document = await lowpJson(['run', free, '--data', at('?.npy*'), '--output-dir', at('out')]);
    const shapes = [[1, 4, 6, 8], [1, 4, 5, 5], [1, 4, 6, 8]]; // biome-ignore format: one line
    assert.deepEqual(document.outputs, [{ name: 'relu', type: 'f32', shape: [1, 4, -1, -1], shapes }]);
    assert.deepEqual(readdirSync(at('out')).sort(), ['relu.0.npy', 'relu.1.npy', 'relu.2.npy']);
    assert.deepEqual(
      [0, 1, 2].map((i) => readNpy(readFileSync(at(`out/relu.${i}.npy`))).shape),
      shapes,
    );
    const { stdout } = await lowpOk(['run', free, '--data', at('?.npy*')]);
    assert.match(stdout, /^relu {2}f32\[1,4,\?,\?\], 3 samples of different shapes$/m);
  });

  it('is quantized with them', async () => {
    const document = await lowpJson(['quantize', free, '-o', at('free_int8.xml'), '--data', at('?.npy*')]);
    assert.equal(document.samples, 3);
    await lowpOk(['run', at('free_int8.xml'), '--data', at('?.npy*')]);
  });

  it('is inspected without sizes, and with them', async () => {
    const { stdout, stderr } = await lowpOk(['inspect', free]);
    assert.match(stdout, /input {2}x {2}f32\[\?,3,\?,\?\]/);
    assert.match(stdout, /Convolution +1/);
    assert.match(stderr, /--shape x=\?,3,\?,\?/);
    assert.match((await lowpOk(['inspect', free, '--shape', '1,3,6,8'])).stdout, /conv .*FP32/);
    await lowpFails(['benchmark', free], 'ERR_SHAPE_DYNAMIC', folder);
  });

  it('is asked for all sizes of an input that has no rank', async () => {
    const net = new Network(5);
    net.result(net.op('ReLU', 'relu', [net.input('x', unknownRank)]), 'y');
    await saveModel(net.model, at('any.xml'));
    const { stdout, stderr } = await lowpOk(['inspect', at('any.xml')]);
    assert.match(stdout, /input {2}x {2}f32\[\.\.\.\]/);
    assert.match(stderr, /--shape x=\.\.\. with numbers in place of \?, and all sizes in place of \.\.\./);
    assert.match((await lowpOk(['inspect', at('any.xml'), '--shape', 'x=2,3'])).stdout, /relu .*FP32/);
  });

  it('is written for one size', async () => {
    await lowpOk(['convert', free, '-o', at('fixed.onnx'), '--shape', 'x=?,3,6,8']);
    const document = await lowpJson(['inspect', at('fixed.onnx')]);
    assert.deepEqual(document.inputs, [{ name: 'x', type: 'f32', shape: [-1, 3, 6, 8] }]);
  });
});

describe('a network for one size', async () => {
  const fixed = await network('fixed.xml', [1, 3, 4, 4]);
  const flat = await network('flat.xml', [1, 3, 6, 8], [1, 4, -1]);

  it('runs for another one', async () => {
    assert.match((await lowp(['run', fixed, '--data', at('a.npy')])).stderr, /ERR_DATA_SHAPE/);
    const document = await lowpJson(['run', fixed, '--data', at('?.npy*'), '--shape', 'x=1,3,?,?']);
    assert.equal((document.outputs as { shapes: unknown[] }[])[0]!.shapes.length, 3);
    await lowpFails(['run', fixed, '--data', at('a.npy'), '--shape', 'y=1,3,6,8'], 'ERR_GRAPH_NAME', folder);
    await lowpFails(['run', fixed, '--data', at('a.npy'), '--shape', 'x=6,8'], 'ERR_SHAPE_RANK', folder);
    await lowpFails(['run', fixed, '--data', at('a.npy'), '--shape', 'x=a,b'], 'ERR_CLI_USAGE', folder);
  });

  it('takes no batch that it would mix', async () => {
    const message = await lowpFails(['run', flat, '--input', `x=${at('two.npy')}`], 'ERR_SHAPE_MISMATCH', folder);
    assert.match(message, /for a batch of 1; with 2 it would mix samples/);
    assert.match(message, /is given \[2,3,6,8\]/);
    await lowpFails(['benchmark', flat, '--batch', '2'], 'ERR_SHAPE_MISMATCH', folder);
  });
});

it('strings are not written as arrays', async () => {
  assert.throws(() => writeNpy({ ...tensor('u8', [0], []), type: 'string' }), { code: 'ERR_TYPE_UNSUPPORTED' });
});
