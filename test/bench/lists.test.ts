// The layer lists beside published sizes of the networks.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { distinct, type Layer, layerLine, layerLists } from '../../bench/layers/lists.ts';
import { onnxLayer } from '../../bench/layers/onnx-layer.ts';
import { openModel } from '../../lib/index.ts';

const listOf = (name: string, batch = 1): readonly Layer[] => layerLists.find((l) => l.name === name)!.layers(batch);

const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

/** Multiply-adds, of padding too. */
function macs(layer: Layer): number {
  if (layer.kind === 'gemm') return layer.m * layer.n * layer.k;
  return layer.batch * product(layer.out) * layer.oc * (layer.ic / layer.groups) * product(layer.kernel);
}

const sum = (layers: readonly Layer[]): number => layers.reduce((total, layer) => total + macs(layer), 0);

const parameters = (layer: Layer): number =>
  layer.kind === 'gemm' ? layer.n * layer.k : layer.oc * (layer.ic / layer.groups) * product(layer.kernel);

test('ResNet-50 has 53 convolutions, 4.09 G multiply-adds and 25.5 M weights', () => {
  const layers = listOf('resnet50');
  assert.equal(layers.filter((l) => l.kind === 'conv').length, 53);
  assert.equal(Math.round(sum(layers) / 1e7), 409);
  assert.equal(Math.round(layers.reduce((total, l) => total + parameters(l), 0) / 1e5), 255);
});

test('MobileNet-V2 has 52 convolutions, 17 of them depthwise, and 0.30 G multiply-adds', () => {
  const layers = listOf('mobilenet_v2');
  assert.equal(layers.filter((l) => l.kind === 'conv').length, 52);
  assert.equal(layers.filter((l) => l.kind === 'conv' && l.groups > 1).length, 17);
  assert.equal(Math.round(sum(layers) / 1e7), 30);
  assert.equal(Math.round(layers.reduce((total, l) => total + parameters(l), 0) / 1e5), 35);
});

test('VGG-16 has 15.35 G multiply-adds in 13 convolutions', () => {
  assert.equal(listOf('vgg16').length, 13);
  assert.equal(Math.round(sum(listOf('vgg16')) / 1e7), 1535);
});

test('BERT-base has 85 M weights in its products, whatever the number of tokens', () => {
  for (const name of ['bert_base_128', 'bert_base_384']) {
    assert.equal(Math.round(listOf(name).reduce((total, l) => total + parameters(l), 0) / 1e6), 85);
  }
  assert.equal(sum(listOf('bert_base_384')), 3 * sum(listOf('bert_base_128')));
});

test('work grows with the batch, and names tell layers apart', () => {
  for (const list of layerLists) {
    const [one, eight] = [list.layers(1), list.layers(8)];
    if (list.name !== 'gemm' && list.name !== 'brief') assert.equal(sum(eight), 8 * sum(one), list.name);
    const lines = new Set(one.map((layer) => layerLine(layer, 'f32')));
    const once = distinct(one);
    assert.equal(lines.size, once.length, list.name);
    assert.equal(
      once.reduce((total, o) => total + o.times, 0),
      one.length,
    );
  }
});

test('float layers say where lowp computes them by Winograd', () => {
  const chosen = (name: string, type: 'f32' | 'u8s8') =>
    listOf(name).filter((layer) => layerLine(layer, type).endsWith(' winograd=1')).length;
  assert.equal(chosen('resnet50', 'f32'), 11);
  assert.equal(chosen('vgg16', 'f32'), 12);
  assert.equal(chosen('conv3d', 'f32'), 0);
  assert.equal(chosen('resnet50', 'u8s8'), 0);
});

test('a float layer as an ONNX model has the output shape of the list', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'lowp-lists-'));
  try {
    for (const layer of distinct(listOf('brief')).map((o) => o.layer)) {
      const made = onnxLayer(layer, 'f32');
      const file = path.join(folder, `${layer.name}.onnx`);
      await writeFile(file, made.bytes);
      const model = await openModel(file);
      assert.deepEqual(model.results()[0]!.inputs[0]!.source!.fact.shape, made.yShape, layer.name);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
