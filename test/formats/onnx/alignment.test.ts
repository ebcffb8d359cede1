// Where the constants of an ONNX file lie once it is read.
import assert from 'node:assert/strict';
import test from 'node:test';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { node, onnxBytes } from '../../support/onnx.ts';

/** The data of the only constant. */
function constantData(model: Model) {
  return [...model.nodeById.values()].find((n) => n.type === 'Constant')?.output.fact.value?.data;
}

for (const name of ['y', 'yy', 'yyy', 'yyyy']) {
  test(`constants of an opened file are read in place, those of given bytes are left alone (${name})`, () => {
    const values = Float32Array.from({ length: 48 }, (_, i) => i / 7);
    const bytes = onnxBytes({
      inputs: { x: ['f32', [48]] },
      initializers: { [`w${name}`]: tensor('f32', [48], values) },
      nodes: [node('Add', ['x', `w${name}`], [name])],
      outputs: [name],
    });
    const before = bytes.slice();
    assert.deepEqual(constantData(readOnnx(bytes)), values);
    assert.deepEqual(bytes, before);
    const opened = constantData(readOnnx(before, { isOwned: true }));
    assert.deepEqual(opened, values);
    assert.equal(opened?.buffer, before.buffer);
  });
}
