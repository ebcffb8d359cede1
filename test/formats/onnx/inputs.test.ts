import assert from 'node:assert/strict';
import test from 'node:test';
import { compile } from '../../../lib/engines/session.ts';
import { readOnnx } from '../../../lib/formats/onnx/read.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { node, onnxBytes } from '../../support/onnx.ts';

test('inputs may be called like what every object inherits', async () => {
  for (const name of ['constructor', 'toString', '__proto__']) {
    const inputs = Object.fromEntries([[name, ['f32', [2]] as const]]);
    const model = readOnnx(onnxBytes({ inputs, nodes: [node('Neg', [name], ['y'])], outputs: ['y'] }));
    await using session = await compile(model);
    const { y } = await session.infer(Object.fromEntries([[name, tensor('f32', [2], [1, -2])]]));
    assert.deepEqual(y, tensor('f32', [2], [-1, 2]));
    await assert.rejects(session.infer({}), { name: 'LowpError' });
  }
});

test('a Dropout in training mode that drops nothing is the identity; others are refused', () => {
  const read = (ratio: number) =>
    readOnnx(
      onnxBytes({
        inputs: { x: ['f32', [2]] },
        initializers: { ratio: tensor('f32', [], [ratio]), training: tensor('boolean', [], [1]) },
        nodes: [node('Dropout', ['x', 'ratio', 'training'], ['dropped']), node('Neg', ['dropped'], ['y'])],
        outputs: ['y'],
      }),
    );
  assert.deepEqual(
    read(0)
      .nodes()
      .map((n) => n.type),
    ['Parameter', 'Negative', 'Result'],
  );
  assert.throws(() => read(0.5), { code: 'ERR_ONNX_UNSUPPORTED' });
});
