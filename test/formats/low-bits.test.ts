// Weights of every type of eight bits or less, as decompression subgraphs: in the engines, an IR, and ONNX.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nativeEngine } from '../../lib/engines/native-engine.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import { widenForeignConstants } from '../../lib/formats/ir/foreign-types.ts';
import { readIr } from '../../lib/formats/ir/read.ts';
import { writeIr } from '../../lib/formats/ir/write.ts';
import { readOnnx } from '../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../lib/formats/onnx/write.ts';
import { addConstant } from '../../lib/graph/edit.ts';
import type { Model } from '../../lib/graph/model.ts';
import { printModel } from '../../lib/graph/print.ts';
import { verify } from '../../lib/graph/verify.ts';
import { createNode } from '../../lib/ops/index.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { fromFloat64 } from '../../lib/tensor/convert.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { ModelBuilder } from '../support/model-builder.ts';
import { runOnnxRuntime, withoutOnnxRuntime } from '../support/onnxruntime.ts';

/** Five numbers that each type holds. */
const numbers: Partial<Record<ElementType, readonly number[]>> = {
  u1: [0, 1, 1, 0, 1],
  u2: [0, 3, 1, 2, 3],
  i2: [-2, 1, 0, -1, 1],
  u3: [7, 0, 5, 2, 6],
  u4: [15, 0, 9, 4, 1],
  i4: [-8, 7, 0, -3, 5],
  u6: [63, 0, 33, 12, 1],
  i8: [-128, 127, 0, -3, 5],
  u8: [255, 0, 128, 7, 1],
  nf4: [-1, 1, 0, Math.fround(0.0795803), Math.fround(-0.6961928)],
  f4e2m1: [-6, 0.5, 0, 3, 1.5],
  f8e4m3: [-448, 0.125, 0, 3.5, 1.25],
  f8e5m2: [-57344, 0.125, 0, 3.5, 1.25],
  f8e4m3fnuz: [-240, 0.125, 0, 3.5, 1.25],
  f8e5m2fnuz: [-57344, 0.125, 0, 3.5, 1.25],
  f8e8m0: [2, 0.125, 1, 4, 1024],
};

const types = Object.keys(numbers) as ElementType[];
const foreign: readonly ElementType[] = ['i2', 'f8e4m3fnuz', 'f8e5m2fnuz'];
const x = tensor('f32', [1, 5], [1, -2, 0.5, 4, 8]);

/** `x · transpose(scale · weights)` with one row of weights; the sums are exact in f32. */
function network(type: ElementType): Model {
  const b = new ModelBuilder();
  const weights = fromFloat64(Float64Array.from(numbers[type]!), [1, 5], type);
  const stored = addConstant(b.model, 'w', weights).output;
  const real = b.op('Convert', [stored], { destination_type: 'f32' });
  const scaled = b.op('Multiply', [real, b.constant('scale', [1, 1], [0.5])]);
  const product = b.op('MatMul', [b.parameter('x', [1, 5]), scaled], { transpose_b: true });
  product.names = ['y'];
  b.result(product);
  return b.model;
}

function expected(type: ElementType): Tensor {
  return tensor('f32', [1, 1], [numbers[type]!.reduce((sum, w, i) => sum + 0.5 * w * Number(x.data[i]), 0)]);
}

function assertClose(y: Tensor | undefined, type: ElementType, where: string): void {
  const error = maxAbsError(y!, expected(type));
  assert.ok(error <= 1e-6 * Math.max(1, Math.abs(Number(expected(type).data[0]))), `${type} ${where}: ${error}`);
}

async function assertRuns(model: Model, type: ElementType, where: string): Promise<void> {
  verify(model);
  for (const engine of [referenceEngine, nativeEngine]) {
    await using executable = await engine.compile(model.clone());
    assertClose((await executable.run({ x })).outputs.y, type, `${where}, ${engine.name}`);
  }
}

describe('weights of eight bits or less', () => {
  it('run', async () => {
    for (const type of types) await assertRuns(network(type), type, 'as built');
  });

  it('are written to an IR, and read and written again without a change', async () => {
    for (const type of types) {
      const model = network(type);
      widenForeignConstants(model);
      const { xml, bin } = writeIr(model);
      const again = readIr(xml, bin);
      assert.equal(again.node('w').output.fact.type === type, !foreign.includes(type));
      await assertRuns(again, type, 'from IR');
      assert.deepEqual(writeIr(again), { xml, bin });
    }
  });

  it('lie in an IR of any version as that version has them', async () => {
    for (const type of types.filter((t) => !foreign.includes(t))) {
      for (const version of ['2023.2.0-1', '2025.1.0-1', '2026.3.0-1']) {
        const model = network(type);
        const info = { name: 'Runtime_version', attributes: { value: version }, children: [] };
        model.meta = [{ name: 'rt_info', attributes: {}, children: [info] }];
        const { xml, bin } = writeIr(model);
        const again = readIr(xml, bin);
        await assertRuns(again, type, `from IR of ${version}`);
        assert.deepEqual(writeIr(again), { xml, bin });
      }
    }
  });

  it('are spelled as OpenVINO does', () => {
    const ports: Partial<Record<ElementType, string>> = { u3: 'U3', nf4: 'NF4', f8e4m3: 'F8E4M3', f4e2m1: 'F4E2M1' };
    for (const [type, port] of Object.entries(ports)) {
      const { xml } = writeIr(network(type as ElementType));
      assert.ok(xml.includes(`element_type="${type}"`) && xml.includes(`precision="${port}"`), type);
    }
  });

  it('that no IR has are refused where a wider type would change the model', () => {
    for (const type of foreign) {
      const model = network(type);
      assert.throws(() => writeIr(model), { code: 'ERR_FORMAT_UNSUPPORTED', node: 'w' });
      const b = new ModelBuilder();
      b.result(b.op('Convert', [b.parameter('x', [2])], { destination_type: type }));
      widenForeignConstants(b.model);
      assert.throws(() => writeIr(b.model), { code: 'ERR_FORMAT_UNSUPPORTED', node: 'convert' });
    }
  });

  it('are written to ONNX, wider where it has no such type', async () => {
    for (const type of types) await assertRuns(readOnnx(writeOnnx(network(type))), type, 'from ONNX');
  });

  it('mean the same to ONNX Runtime', { skip: withoutOnnxRuntime }, async () => {
    for (const type of types) {
      assertClose((await runOnnxRuntime(writeOnnx(network(type)), { x })).y, type, 'in ONNX Runtime');
    }
  });

  it('as inputs and targets of conversions are refused by ONNX opset 17, and so are outputs', () => {
    for (const type of types.filter((t) => t !== 'i8' && t !== 'u8')) {
      const input = new ModelBuilder();
      input.result(input.op('Convert', [input.parameter('x', [2], type)], { destination_type: 'f32' }));
      assert.throws(() => writeOnnx(input.model), { code: 'ERR_FORMAT_UNSUPPORTED', node: 'x' });
      const target = new ModelBuilder();
      target.result(target.op('Convert', [target.parameter('x', [2])], { destination_type: type }));
      assert.throws(() => writeOnnx(target.model), { code: 'ERR_FORMAT_UNSUPPORTED', node: 'convert' });
      const output = network(type);
      createNode(output, { type: 'Result', name: 'stored', inputs: [output.node('w').output] });
      assert.throws(() => writeOnnx(output), { code: 'ERR_FORMAT_UNSUPPORTED', node: 'w' });
    }
  });

  it('are printed as numbers', () => {
    assert.match(printModel(network('u3')), /w = Constant\(\) : u3\[1,5\] = 7,0,5,2,6\n/);
    assert.match(printModel(network('f8e4m3')), /: f8e4m3\[1,5\] = -448,0\.125,0,3\.5,1\.25\n/);
    assert.match(printModel(network('i4')), /: i4\[1,5\] = -8,7,0,-3,5\n/);
  });
});
