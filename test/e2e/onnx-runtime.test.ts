// Every network of the model folder: through the formats and back, and beside ONNX Runtime in floats and in bytes; and
// bodies in ONNX Runtime.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { activationQuantizers, moveConstants } from '../../bench/fidelity/distances.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import { compile } from '../../lib/engines/session.ts';
import { readIr } from '../../lib/formats/ir/read.ts';
import { writeIr } from '../../lib/formats/ir/write.ts';
import { readOnnx } from '../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../lib/formats/onnx/write.ts';
import { inputName, type Model } from '../../lib/graph/model.ts';
import { cpuInfo, openModel, quantize, reshape, type Tensor, tensor } from '../../lib/index.ts';
import { toFloat64 } from '../../lib/tensor/convert.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { random } from '../../lib/util/random.ts';
import { cutAtQuantizers, differenceInSteps } from '../support/cut-at-quantizers.ts';
import { loopModels } from '../support/loop-models.ts';
import { onnxBytes } from '../support/onnx.ts';
import { bodyCases } from '../support/onnx-bodies.ts';
import { runOnnxRuntime, withoutOnnxRuntime } from '../support/onnxruntime.ts';
import { sharedFolder } from '../support/shared-folder.ts';

const models = sharedFolder('models');
const files = models.skip ? [] : readdirSync(models.path).filter((f) => f.endsWith('.onnx'));

type Outputs = Readonly<Record<string, Tensor>>;

/** Dynamic sizes: one sample, images of 32 × 32, volumes of 20³. */
function shapeOf(declared: Shape): number[] {
  const side = declared.length === 5 ? 20 : 32;
  return declared.map((d, i) => (d >= 0 ? d : i === 0 ? 1 : i === 1 ? 3 : side));
}

/** Seeded inputs: floats in [0, 1), indices below 100. */
function feedsOf(model: Model, seed: number): Record<string, Tensor> {
  const stream = random(seed);
  const feeds: Record<string, Tensor> = {};
  for (const parameter of model.parameters()) {
    const { type, shape: declared } = parameter.output.fact;
    const shape = shapeOf(declared);
    const values = Array.from({ length: elementCount(shape) }, () => stream.next());
    const isIndex = type !== 'f32';
    feeds[inputName(parameter)] = tensor(type, shape, isIndex ? values.map((v) => Math.floor(v * 100)) : values);
  }
  return feeds;
}

async function run(model: Model, feeds: Outputs): Promise<Outputs> {
  await using session = await compile(model, { threads: 1 });
  return session.infer(feeds);
}

/** The differences of two lists of outputs relative to the range of the first, in ascending order. */
function differences(a: Outputs, b: Outputs): Float64Array {
  assert.deepEqual(Object.keys(b).sort(), Object.keys(a).sort());
  const all = Object.entries(a).flatMap(([name, t]) => {
    const other = b[name]!;
    assert.deepEqual(other.shape, t.shape, name);
    const [x, y] = [toFloat64(t), toFloat64(other)];
    const range = x.reduce((m, v) => Math.max(m, v), -Infinity) - x.reduce((m, v) => Math.min(m, v), Infinity);
    return Array.from(x, (v, i) => Math.abs(v - y[i]!) / (range || 1));
  });
  return Float64Array.from(all).sort();
}

/** What 99.9 % of the differences do not exceed. */
const almostAll = (list: Float64Array): number => list[Math.floor(0.999 * (list.length - 1))]!;

const largest = (a: Outputs, b: Outputs): number => differences(a, b).at(-1)!;

/** ONNX Runtime adds pairs of byte products in 16 bits, which saturate, where the processor has no instruction for four. */
const addsExactly = ['avxvnni', 'vnni', 'amx'].includes(cpuInfo().detectedIsa);

/**
 * How far runs of one quantized model in FP32 are from each other: lowp's simulation, the same with constants moved by a
 * unit in the last place, and ONNX Runtime's. Each rounds values that lie in the middle between two steps by chance.
 */
async function distanceOfFloats(int8: Model, feeds: Outputs, inFloats: Outputs): Promise<number> {
  const runs = [inFloats];
  for (const m of [int8, moveConstants(int8, 1), moveConstants(int8, 2)]) {
    await using session = await compile(m, { threads: 1, device: 'CPU_FP32' });
    runs.push(await session.infer(feeds));
  }
  return Math.max(...runs.flatMap((a, i) => runs.slice(i + 1).map((b) => almostAll(differences(a, b)))));
}

/** What ONNX Runtime gives for a written model is what the reference engine gives for the model itself. */
async function sameOutputs(model: Model, feeds: Outputs): Promise<void> {
  await using executable = await referenceEngine.compile(model);
  const { outputs } = await executable.run(feeds);
  assert.deepEqual(await runOnnxRuntime(writeOnnx(model), feeds), { ...outputs });
}

describe('conditions and loops in ONNX Runtime', { skip: withoutOnnxRuntime }, () => {
  for (const { name, spec, runs } of bodyCases) {
    it(`${name} gives the same outputs`, async () => {
      for (const { feeds } of runs) await sameOutputs(readOnnx(onnxBytes(spec)), feeds);
    });
  }
  for (const { name, model, feeds } of loopModels()) {
    it(`${name} of an IR gives the same outputs`, () => sameOutputs(model, feeds));
  }
});

describe('networks of the model folder', { skip: models.skip }, () => {
  for (const file of files) {
    it(`${file} keeps its outputs through IR and ONNX`, async () => {
      const model = await openModel(path.join(models.path, file));
      const feeds = feedsOf(model, 1);
      const expected = await run(model, feeds);
      const { xml, bin } = writeIr(model);
      const ir = readIr(Buffer.from(xml), bin);
      assert.ok(largest(expected, await run(ir, feeds)) <= 1e-4, 'ONNX to IR');
      assert.ok(largest(expected, await run(readOnnx(writeOnnx(ir)), feeds)) <= 1e-4, 'IR to ONNX');
    });

    it(`${file} gives the outputs of ONNX Runtime, in floats and in bytes`, { skip: withoutOnnxRuntime }, async (t) => {
      const model = await openModel(path.join(models.path, file));
      const feeds = feedsOf(model, 1);
      assert.ok(largest(await run(model, feeds), await runOnnxRuntime(writeOnnx(model), feeds)) <= 1e-4, 'floats');
      const { model: int8 } = await quantize(model, [feeds, feedsOf(model, 2)], { subsetSize: 2 });
      const ours = await run(int8, feeds);
      const pairs = writeOnnx(int8);
      const inFloats = await runOnnxRuntime(pairs, feeds, { graphOptimizationLevel: 'disabled' });
      const theirs: Readonly<Record<string, Outputs>> = {
        'pairs in floats': inFloats,
        'pairs in integers': await runOnnxRuntime(pairs, feeds, { graphOptimizationLevel: 'all' }),
        operators: await runOnnxRuntime(writeOnnx(int8, { form: 'operators' }), feeds),
      };
      const floor = await distanceOfFloats(int8, feeds, inFloats);
      const saturated = addsExactly ? 0 : almostAll(differences(await run(model, feeds), ours));
      for (const [form, outputs] of Object.entries(theirs)) {
        const most = Math.max(1 / 255, 2 * floor, form === 'pairs in floats' ? 0 : saturated);
        const off = almostAll(differences(ours, outputs));
        t.diagnostic(`${form}: ${(255 * off).toFixed(2)} steps, floats from each other ${(255 * floor).toFixed(2)}`);
        assert.ok(off <= most, `${form}: 99.9 % of the outputs differ by up to ${off} of their range, allowed ${most}`);
      }
    });

    it(`${file} in bytes gives the bytes of ONNX Runtime behind every layer`, {
      skip: withoutOnnxRuntime,
    }, async (t) => {
      const model = await openModel(path.join(models.path, file));
      const feeds = feedsOf(model, 1);
      const { model: quantized } = await quantize(model, [feeds, feedsOf(model, 2)], { subsetSize: 2 });
      const int8 = reshape(
        quantized,
        Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape])),
      );
      const quantizers = activationQuantizers(int8);
      await using whole = await compileNative(int8, { threads: 1, taps: quantizers.map((n) => n.output) });
      const all = { ...feeds, ...cutAtQuantizers(int8, quantizers, (await whole.run(feeds)).taps) };
      const ours = await run(int8, all);
      const theirs = await runOnnxRuntime(writeOnnx(int8), all, { graphOptimizationLevel: 'disabled' });
      let moved = 0;
      let count = 0;
      for (const [i, node] of quantizers.entries()) {
        const steps = differenceInSteps(node, theirs[`after ${i}`]!, ours[`after ${i}`]!);
        const most = steps.reduce((m, s) => Math.max(m, s), 0);
        assert.ok(most <= 1, `${node.name}: a value is ${most} steps away`);
        moved += steps.reduce((m, s) => m + s, 0);
        count += steps.length;
      }
      t.diagnostic(`${moved} of ${count} values are a step away`);
      // What lies within 1e-5 steps of the middle between two bytes is rounded either way; sums of two bytes take few
      // values, so that one of them in the middle comes often.
      assert.ok(moved <= Math.max(2, 3e-4 * count), `${moved} of ${count} values are a step away`);
    });
  }
});
