import assert from 'node:assert/strict';
import test from 'node:test';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { toFloat64 } from '../../../lib/tensor/convert.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { evaluate } from '../../support/model-builder.ts';
import { node, onnxBytes } from '../../support/onnx.ts';

/** One triangle after the other, element by element. */
function triangles(count: number, size: number, rate: number, low: number, high: number): number[][] {
  const mels = (f: number) => 2595 * Math.log10(1 + f / 700);
  const step = (mels(high) - mels(low)) / (count + 2);
  const corners = Array.from({ length: count + 2 }, (_, i) => {
    const hertz = 700 * (10 ** ((mels(low) + i * step) / 2595) - 1);
    return Math.floor(((size + 1) * hertz) / rate);
  });
  const rows = Array.from({ length: Math.floor(size / 2) + 1 }, () => new Array<number>(count).fill(0));
  for (let i = 0; i < count; i++) {
    const [left, middle, right] = corners.slice(i, i + 3) as [number, number, number];
    for (let j = left; j < middle; j++) rows[j]![i] = (j - left) / (middle - left);
    for (let j = middle + 1; j < right; j++) rows[j]![i] = (right - j) / (right - middle);
    rows[middle]![i] = 1;
  }
  return rows;
}

for (const [count, size, rate, low, high] of [
  [8, 16, 8192, 0, 4096],
  [40, 400, 16000, 20, 8000],
  // Corners that fall on one bin.
  [30, 32, 8000, 0, 3900],
] as const) {
  test(`${count} triangles over ${size} samples`, async () => {
    const values = { count, size, rate, low, high };
    const initializers = Object.fromEntries(
      Object.entries(values).map(([name, v]) => [
        name,
        tensor(name === 'low' || name === 'high' ? 'f32' : 'i64', [], [v]),
      ]),
    );
    const nodes = [node('MelWeightMatrix', Object.keys(values), ['y'])];
    const model = readOnnx(onnxBytes({ opset: 17, initializers, nodes, outputs: ['y'] }));
    const y = (await evaluate(model, {})).y!;
    const expected = triangles(count, size, rate, low, high);
    assert.deepEqual(y.shape, [expected.length, count]);
    for (const [i, v] of expected.flat().entries()) assert.ok(Math.abs(v - toFloat64(y)[i]!) < 1e-6, `element ${i}`);
  });
}
