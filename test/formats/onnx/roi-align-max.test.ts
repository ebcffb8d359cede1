import assert from 'node:assert/strict';
import test from 'node:test';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { evaluate } from '../../support/model-builder.ts';
import { node, onnxBytes } from '../../support/onnx.ts';

type Attributes = NonNullable<Parameters<typeof node>[3]>;

function model(attributes: Attributes, shape: readonly number[] = [2, 1, 2, 2]): Uint8Array {
  const nodes = [
    node('RoiAlign', ['x', 'rois', 'images'], ['y'], { mode: 'max', sampling_ratio: 1n, ...attributes }, 'r'),
  ];
  return onnxBytes({
    opset: 16,
    inputs: { x: ['f32', shape], rois: ['f32', [-1, 4]], images: ['i64', [-1]] },
    nodes,
    outputs: ['y'],
  });
}

async function run(attributes: Attributes, rois: readonly number[], images: readonly number[]): Promise<Tensor> {
  const feeds = {
    x: tensor('f32', [2, 1, 2, 2], [1, 2, 3, 4, 10, 20, 30, 40]),
    rois: tensor('f32', [images.length, 4], rois),
    images: tensor('i64', [images.length], images),
  };
  return (await evaluate(readOnnx(model(attributes)), feeds)).y!;
}

const whole = { coordinate_transformation_mode: 'output_half_pixel' };

test('a sample is the largest product of an element and its weight', async () => {
  // In the middle of four, halfway between two of a row, and outside of the image.
  const rois = [0, 0, 1, 1, 0, 0.5, 1, 1.5, 5, 5, 6, 6];
  assert.deepEqual(await run(whole, rois, [0, 1, 1]), tensor('f32', [3, 1, 1, 1], [1, 20, 0]));
});

test('a bin is its largest sample', async () => {
  // Samples at 0.5 and 1.5 of each axis; beyond the last element that one counts whole.
  const y = await run({ ...whole, sampling_ratio: 2n }, [0, 0, 2, 2], [0]);
  assert.deepEqual(y, tensor('f32', [1, 1, 1, 1], [4]));
});

test('pixels with centers at halves move the samples', async () => {
  assert.deepEqual(await run({}, [0, 0, 1, 1], [0]), tensor('f32', [1, 1, 1, 1], [1]));
  assert.deepEqual(await run({}, [1, 1, 2, 2], [0]), tensor('f32', [1, 1, 1, 1], [4]));
});

test('forms whose samples cannot be listed are refused', () => {
  assert.throws(() => readOnnx(model({ sampling_ratio: 0n })), /'r': mode 'max' with a number of samples/);
  assert.throws(() => readOnnx(model({}, [2, 1, -1, 2])), /'r': mode 'max' on images of dynamic size/);
});
