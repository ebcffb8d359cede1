// Every IR of `../shared/irs`: one inference, and through ONNX and back, beside ONNX Runtime.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { compile } from '../../lib/engines/session.ts';
import { readOnnx } from '../../lib/formats/onnx/read.ts';
import { writeOnnx } from '../../lib/formats/onnx/write.ts';
import { removeNode } from '../../lib/graph/edit.ts';
import { inputName, type Model, outputName } from '../../lib/graph/model.ts';
import { openModel, reshape, type Tensor, tensor } from '../../lib/index.ts';
import { createNode } from '../../lib/ops/index.ts';
import { findQuantized, stripQuantization } from '../../lib/quantization/strip.ts';
import { convert, toFloat64 } from '../../lib/tensor/convert.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { random } from '../../lib/util/random.ts';
import { runOnnxRuntime, withoutOnnxRuntime } from '../support/onnxruntime.ts';
import { repositoryRoot, sharedFolder } from '../support/shared-folder.ts';

const irs = sharedFolder('irs');
const files = irs.skip
  ? []
  : readdirSync(irs.path, { recursive: true, encoding: 'utf8' })
      .filter((f) => f.endsWith('.xml'))
      .sort();

/** The files that ONNX cannot express, each with its reason. */
const listFile = path.join(repositoryRoot(), 'test/golden/ir-to-onnx.md');
const unwritten = new Set([...readFileSync(listFile, 'utf8').matchAll(/^- `(.*\.xml)`: ./gm)].map(([, file]) => file!));

/** Inputs that take 10 GB of activations as they are: the same layers on small images. */
const smaller: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {
  'Y52_8x1x160x160_int8.xml': { input_0: [1], input_1: [1, 1, 64, 64] },
};

type Outputs = Readonly<Record<string, Tensor>>;

/** Waves and noise between 0 and 255 as images, numbers of 0 to 1 else; dynamic sizes are 1 sample and 64 pixels. */
function feedsOf(model: Model): Record<string, Tensor> {
  const { next } = random(5);
  return Object.fromEntries(
    model.parameters().map((parameter) => {
      const { type, shape: declared } = parameter.output.fact;
      const shape = declared.map((d, i) => (d >= 0 ? d : i === 0 ? 1 : 64));
      const width = shape.at(-1) ?? 1;
      const values = Float32Array.from({ length: elementCount(shape) }, (_, i) =>
        shape.length === 4
          ? 127 + 90 * Math.sin((i % width) / 11 + Math.floor(i / width) / 17) + 40 * (next() - 0.5)
          : next(),
      );
      return [inputName(parameter), convert(tensor('f32', shape, values), type)];
    }),
  );
}

/** The model's outputs in its order; ONNX files keep half and double precision as f32 when they are read. */
async function run(model: Model, feeds: Outputs): Promise<Tensor[]> {
  await using session = await compile(model, { threads: 1 });
  const typed = model.parameters().map((p) => [inputName(p), convert(feeds[inputName(p)]!, p.output.fact.type)]);
  const outputs = await session.infer(Object.fromEntries(typed) as Outputs);
  return model.results().map((r) => outputs[outputName(r)]!);
}

/**
 * Differences relative to the range of each output of `a` (its largest value where all are equal), in ascending order.
 */
function differences(a: readonly Tensor[], b: readonly Tensor[]): Float64Array {
  assert.equal(b.length, a.length);
  const all = a.flatMap((t, n) => {
    assert.deepEqual(b[n]!.shape, t.shape, `shape of output ${n}`);
    const [x, y] = [toFloat64(t), toFloat64(b[n]!)];
    const [low, high] = [x.reduce((m, v) => Math.min(m, v), Infinity), x.reduce((m, v) => Math.max(m, v), -Infinity)];
    const range = high - low || Math.abs(high) || 1;
    return Array.from(x, (v, i) => Math.abs(v - y[i]!) / range);
  });
  return Float64Array.from(all).sort();
}

const largest = (list: Float64Array): number => list.at(-1)!;

/** What 99.9 % of the differences do not exceed. */
const almostAll = (list: Float64Array): number => list[Math.floor(0.999 * (list.length - 1))]!;

/** Operations that choose boxes: one rounding step may change what is chosen, so their inputs are compared. */
const choosing = new Set(['DetectionOutput', 'NonMaxSuppression', 'TopK', 'CTCGreedyDecoder']);

/** The model with what choices are made of as outputs, in place of what follows from them. */
function beforeChoices(model: Model): Model {
  const copy = model.clone();
  const choices = copy.nodes().filter((n) => choosing.has(n.type));
  const behind = new Set(choices);
  for (const node of copy.nodes()) if (node.inputs.some((i) => i.source && behind.has(i.source.node))) behind.add(node);
  const sources = choices.flatMap((n) => n.inputs.flatMap((i) => i.source ?? []));
  const computed = sources.filter((p) => !behind.has(p.node) && !p.fact.value && p.node.inputs.length > 0);
  for (const result of [...copy.results()]) if (behind.has(result)) removeNode(copy, result);
  for (const [i, port] of [...new Set(computed)].entries()) {
    const result = createNode(copy, { type: 'Result', name: `choice ${i}`, inputs: [port] });
    result.output.names = [`choice ${i}`];
  }
  return copy;
}

function assertPlausible(model: Model, outputs: readonly Tensor[]): void {
  for (const [i, result] of model.results().entries()) {
    const { type, shape } = result.source(0)!.fact;
    const { type: got, shape: found } = outputs[i]!;
    const name = outputName(result);
    assert.equal(got, type, name);
    assert.ok(
      found.length === shape.length && found.every((d, k) => d === shape[k] || shape[k] === -1),
      `${name}: ${found} is not ${shape}`,
    );
    const values = toFloat64(outputs[i]!);
    assert.ok(values.every(Number.isFinite), `${name} is not finite`);
    assert.ok(values.length === 1 || new Set(values).size > 1, `${name} has ${values.length} times the same value`);
    const source = result.source(0)!.node.type;
    if (source === 'SoftMax' || source === 'Sigmoid')
      assert.ok(
        values.every((v) => v >= 0 && v <= 1),
        name,
      );
  }
}

describe('IRs of others', { skip: irs.skip, timeout: 30 * 60_000 }, () => {
  it('are all there', () => assert.equal(files.length, 44));

  for (const file of files) {
    describe(file, () => {
      let model: Model;
      let feeds: Outputs;
      let ours: Tensor[];
      /** The difference that rounding may make: 1e-4 in floats; in bytes both sides may be as far from floats as ours is. */
      let allowed = 1e-4;
      let isHalf = false;

      before(async () => {
        const opened = await openModel(path.join(irs.path, file));
        const shapes = smaller[path.basename(file)];
        model = shapes ? reshape(opened, shapes) : opened;
        feeds = feedsOf(model);
        ours = await run(model, feeds);
        isHalf = model.parameters().some((p) => p.output.fact.type === 'f16');
      });
      after(() => {
        ours = [];
      });

      it('gives finite outputs of the inferred shapes', () => assertPlausible(model, ours));

      if (unwritten.has(file)) {
        it('cannot be written as ONNX', () => {
          assert.throws(() => writeOnnx(model), { code: 'ERR_FORMAT_UNSUPPORTED' });
        });
        return;
      }

      it('keeps its outputs through ONNX', async () => {
        if (findQuantized(model)) {
          model = beforeChoices(model);
          ours = await run(model, feeds);
          const floats = model.clone();
          stripQuantization(floats);
          allowed = Math.max(1 / 255, 2 * almostAll(differences(await run(floats, feeds), ours)));
        }
        const off = differences(ours, await run(readOnnx(writeOnnx(model)), feeds));
        const most = allowed > 1e-4 ? almostAll(off) : largest(off);
        assert.ok(most <= allowed, `the outputs differ by ${most} of their range, allowed ${allowed}`);
      });

      it('gives the outputs of ONNX Runtime', { skip: withoutOnnxRuntime }, async () => {
        const theirs = await runOnnxRuntime(writeOnnx(model), feeds, { graphOptimizationLevel: 'disabled' });
        const off = differences(ours, Object.values(theirs));
        // ONNX Runtime rounds every value of a network in half precision to it, lowp computes in f32.
        const limit = isHalf ? Math.max(0.02, allowed) : allowed;
        const most = limit > 1e-4 ? almostAll(off) : largest(off);
        assert.ok(most <= limit, `the outputs differ by ${most} of their range, allowed ${limit}`);
      });
    });
  }
});
