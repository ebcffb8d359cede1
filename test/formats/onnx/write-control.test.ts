import assert from 'node:assert/strict';
import test from 'node:test';
import { referenceEngine } from '../../../lib/engines/reference-engine.ts';
import { toOperatorForm } from '../../../lib/formats/onnx/operator-form.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import type { Model } from '../../../lib/graph/model.ts';
import type { Tensor } from '../../../lib/tensor/tensor.ts';
import { loopModels } from '../../support/loop-models.ts';
import { bodyProto, node, onnxBytes } from '../../support/onnx.ts';
import { bodyCases } from '../../support/onnx-bodies.ts';

async function run(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  await using executable = await referenceEngine.compile(model);
  return (await executable.run(feeds)).outputs;
}

for (const { name, spec, runs } of bodyCases) {
  test(`${name} is written`, async () => {
    const once = readOnnx(writeOnnx(readOnnx(onnxBytes(spec))));
    const twice = readOnnx(writeOnnx(once));
    for (const { feeds, outputs } of runs) {
      assert.deepEqual(await run(once, feeds), outputs);
      assert.deepEqual(await run(twice, feeds), outputs);
    }
  });
}

for (const { name, model, feeds } of loopModels()) {
  test(`${name} of an IR is written`, async () => {
    const expected = await run(model, feeds);
    const once = readOnnx(writeOnnx(model));
    assert.deepEqual(await run(once, feeds), expected);
    assert.deepEqual(await run(readOnnx(writeOnnx(once)), feeds), expected);
  });
}

test('a product that a body reads stays when bytes take its place', () => {
  const pair = (name: string) => node('DequantizeLinear', [`${name}q`, 'scale', 'zero'], [name]);
  const reads = bodyProto({ nodes: [node('Relu', ['product'], ['r'])], outputs: { r: ['f32', [2, 2]] } });
  const others = [
    pair('a'),
    pair('b'),
    node('MatMul', ['a', 'b'], ['product']),
    node('QuantizeLinear', ['product', 'scale', 'zero'], ['y']),
  ];
  const types = (nodes: typeof others, wanted: string[]) => toOperatorForm(nodes, [], wanted).map((n) => n.opType);
  assert.deepEqual(types(others, ['y']), ['QLinearMatMul']);
  const branches = node('If', ['c'], ['z'], { then_branch: reads, else_branch: reads });
  assert.deepEqual(types([...others, branches], ['y', 'z']), [
    'DequantizeLinear',
    'DequantizeLinear',
    'MatMul',
    'QuantizeLinear',
    'If',
  ]);
});
