// The main job through the command line on the demo network: FP32 in, INT8 out, and what the file holds.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { compile, openModel, quantize, readNpy, saveModel, type Tensor } from '../../lib/index.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { demoModel, filesBelow, lowpFails, lowpJson, lowpOk, temporaryFolder } from '../support/cli.ts';
import { writeGlyphs } from '../support/glyph-data.ts';
import { runnableIsas } from '../support/isas.ts';

const folder = temporaryFolder();
const calibration = writeGlyphs(folder, 1, 40);
const test = writeGlyphs(folder, 2, 20);
const int8 = path.join(folder, 'int8.xml');
let report: Record<string, unknown> = {};

before(async () => {
  report = await lowpJson(['quantize', demoModel, '-o', int8, '--data', calibration.images]);
});

/** Bytes of the output that `lowp run` writes. */
async function outputOf(model: string, name: string, ...args: string[]): Promise<Buffer> {
  const dir = path.join(folder, name);
  await lowpOk(['run', model, '--data', test.images, '--output-dir', dir, ...args]);
  return readFileSync(path.join(dir, 'probabilities.npy'));
}

function samplesOf(file: string, count: number): Tensor[] {
  const { data, shape } = readNpy(readFileSync(file));
  const size = data.length / shape[0]!;
  return Array.from({ length: count }, (_, i) => ({
    type: 'f32' as const,
    shape: [1, ...shape.slice(1)],
    data: data.slice(i * size, (i + 1) * size),
  }));
}

describe('lowp quantize', () => {
  it('reports every operation with a reason', () => {
    assert.deepEqual(Object.keys(report).sort(), [
      'nodes',
      'output',
      'samples',
      'schemaVersion',
      'seconds',
      'warnings',
      'weightBytes',
    ]);
    const nodes = report.nodes as Record<string, unknown>[];
    for (const node of nodes) {
      assert.deepEqual(Object.keys(node).sort(), ['name', 'quantized', 'reason', 'type']);
      assert.ok(String(node.reason).length > 10);
    }
    const products = nodes.filter((n) => /Convolution|MatMul/.test(String(n.type)));
    assert.ok(products.length >= 9 && products.every((n) => n.quantized === true));
    assert.equal(report.output, int8);
    assert.equal(report.samples, 40);
    assert.deepEqual(Object.keys(report.seconds as object).sort(), ['calibrate', 'correct', 'total']);
  });

  it('makes the .bin at most 30 % of the FP32 one, and tells its size', () => {
    const [before, after] = [demoModel, int8].map((f) => statSync(f.replace(/xml$/, 'bin')).size);
    assert.ok(after! / before! <= 0.3, `${after} of ${before} bytes`);
    const told = report.weightBytes as { before: number; after: number };
    assert.ok(Math.abs(told.after - after!) / after! < 0.05, `${told.after} told, ${after} written`);
  });

  it('leaves no temporary file', () => {
    assert.deepEqual(
      filesBelow(folder).filter((f) => /tmp|old/.test(f)),
      [],
    );
  });

  it('runs nearly everything in INT8', async () => {
    const { nodes } = (await lowpJson(['inspect', int8])) as { nodes: { type: string; precision: string }[] };
    const products = nodes.filter((n) => /Convolution|MatMul/.test(n.type));
    assert.ok(products.every((n) => n.precision === 'INT8'));
  });

  it('writes the same file again from the same data', async () => {
    const again = path.join(folder, 'again/int8.xml');
    await lowpOk(['quantize', demoModel, '-o', again, '--data', calibration.images, '--quiet', '--threads', '1']);
    assert.ok(readFileSync(again.replace(/xml$/, 'bin')).equals(readFileSync(int8.replace(/xml$/, 'bin'))));
    assert.ok(readFileSync(again).equals(readFileSync(int8)));
  });

  it('starts from ONNX as from IR, with close results', async () => {
    const fromOnnx = path.join(folder, 'from-onnx.xml');
    await lowpOk(['quantize', demoModel.replace(/xml$/, 'onnx'), '-o', fromOnnx, '--data', calibration.images]);
    const [a, b] = [readNpy(await outputOf(int8, 'ir')), readNpy(await outputOf(fromOnnx, 'onnx'))];
    const furthest = maxAbsError(a, b);
    assert.ok(furthest < 0.05, `probabilities differ by ${furthest}`);
  });

  it('keeps what --ignored names in floating point', async () => {
    const args = ['-o', path.join(folder, 'ignored.xml'), '--data', calibration.images, '--subset-size', '5'];
    const { nodes, samples } = (await lowpJson(['quantize', demoModel, ...args, '--ignored', 'type:MatMul'])) as {
      nodes: { type: string; quantized: boolean; reason: string }[];
      samples: number;
    };
    const product = nodes.find((n) => n.type === 'MatMul')!;
    assert.equal(product.quantized, false);
    assert.match(product.reason, /MatMul are excluded/);
    assert.equal(samples, 5);
  });

  it('refuses a quantized model, and strips it first with --force', async () => {
    const onnx = path.join(folder, 'strip.onnx');
    await lowpOk(['convert', int8, '-o', onnx]);
    for (const from of [int8, onnx]) {
      const again = path.join(folder, `again-${path.extname(from).slice(1)}.xml`);
      const args = ['quantize', from, '-o', again, '--data', calibration.images];
      await lowpFails(args, 'ERR_ALGO_ALREADY_QUANTIZED', folder);
      await lowpOk([...args, '--force']);
      const [a, b] = [readNpy(await outputOf(int8, 'first')), readNpy(await outputOf(again, 'second'))];
      const furthest = maxAbsError(a, b);
      assert.ok(furthest < 0.05, `probabilities of ${path.basename(from)} differ by ${furthest}`);
    }
  });

  it('quantizes for GNA: 16-bit activations, sums of 32 bits, which run as simulated', async () => {
    const gna = path.join(folder, 'gna.xml');
    await lowpOk(['quantize', demoModel, '-o', gna, '--data', calibration.images, '--target-device', 'GNA']);
    const levels = (await openModel(gna))
      .nodes()
      .flatMap((n) => (n.type === 'FakeQuantize' ? [n.attributes.levels] : []));
    assert.deepEqual(new Set(levels), new Set([65535, 65536, 2 ** 32]));
    const [a, b] = [readNpy(await outputOf(demoModel, 'float')), readNpy(await outputOf(gna, 'gna'))];
    const furthest = maxAbsError(a, b);
    assert.ok(furthest < 0.04, `probabilities differ by ${furthest}`);
  });

  it('writes an HTML report that asks nothing of a network', async () => {
    const page = path.join(folder, 'report.html');
    const args = ['-o', path.join(folder, 'reported.xml'), '--data', calibration.images, '--subset-size', '5'];
    await lowpOk(['quantize', demoModel, ...args, '--report', page]);
    const html = readFileSync(page, 'utf8');
    assert.match(html, /<svg/);
    assert.doesNotMatch(html, /<script|src=|href=|url\(http/);
  });

  it('keeps float weights behind a FakeQuantize on demand, with the same results', async () => {
    const uncompressed = path.join(folder, 'uncompressed.xml');
    const args = ['-o', uncompressed, '--data', calibration.images, '--keep-uncompressed-weights'];
    await lowpOk(['quantize', demoModel, ...args]);
    assert.ok(statSync(uncompressed.replace(/xml$/, 'bin')).size > 3 * statSync(int8.replace(/xml$/, 'bin')).size);
    assert.ok((await outputOf(uncompressed, 'uncompressed')).equals(await outputOf(int8, 'compressed')));
  });
});

describe('the INT8 network', () => {
  it('gives the same bits on every instruction set and with any number of threads', async () => {
    const expected = await outputOf(int8, 'scalar', '--max-isa', 'scalar');
    for (const isa of runnableIsas()) {
      const dir = path.join(folder, `env-${isa}`);
      await lowpOk(['run', int8, '--data', test.images, '--output-dir', dir], { env: { LOWP_MAX_ISA: isa } });
      assert.ok(readFileSync(path.join(dir, 'probabilities.npy')).equals(expected), isa);
    }
    assert.ok((await outputOf(int8, 'one', '--threads', '1')).equals(expected));
    assert.ok((await outputOf(int8, 'three', '--threads', '3')).equals(expected));
  });

  it('gives the same bits for a batch as for its samples', async () => {
    const dir = path.join(folder, 'batch');
    await lowpOk(['run', int8, '--input', test.images, '--output-dir', dir]);
    assert.ok(readFileSync(path.join(dir, 'probabilities.npy')).equals(await outputOf(int8, 'single')));
  });

  it('is close to the FP32 network', async () => {
    const metrics = async (model: string) =>
      (await lowpJson(['evaluate', model, '--data', test.images, '--labels', test.labels])).metrics as object;
    assert.deepEqual(Object.keys(await metrics(int8)), ['accuracy@1']);
    const [a, b] = [await metrics(demoModel), await metrics(int8)].map((m) => Number(Object.values(m)[0]));
    assert.ok(a! >= 0.8 && Math.abs(a! - b!) <= 0.05, `${a} and ${b} of 20 samples`);
  });

  it('becomes an ONNX file of QuantizeLinear and DequantizeLinear with close results, and an IR again', async () => {
    const onnx = path.join(folder, 'int8.onnx');
    await lowpOk(['convert', int8, '-o', onnx]);
    const text = readFileSync(onnx, 'latin1');
    assert.ok(text.includes('QuantizeLinear') && text.includes('DequantizeLinear'));
    assert.ok(statSync(onnx).size < 0.4 * statSync(demoModel.replace(/xml$/, 'onnx')).size);
    const { nodes } = (await lowpJson(['inspect', onnx])) as { nodes: { type: string; precision: string }[] };
    assert.ok(nodes.filter((n) => /Convolution|MatMul/.test(n.type)).every((n) => n.precision === 'INT8'));
    const [a, b] = [readNpy(await outputOf(int8, 'as-ir')), readNpy(await outputOf(onnx, 'as-onnx'))];
    const furthest = maxAbsError(a, b);
    assert.ok(furthest < 0.02, `probabilities differ by ${furthest}`);
    await lowpOk(['convert', onnx, '-o', path.join(folder, 'back.xml')]);
    assert.ok((await outputOf(path.join(folder, 'back.xml'), 'back')).equals(await outputOf(onnx, 'onnx-again')));
  });
});

describe('the library', () => {
  it('gives bit-equal outputs before saving and after opening again', async () => {
    const model = await openModel(demoModel);
    const samples = samplesOf(calibration.images, 20);
    const { model: quantized } = await quantize(model, samples);
    mkdirSync(path.join(folder, 'api'));
    const file = path.join(folder, 'api/int8.xml');
    await saveModel(quantized, file);
    const sessions = await Promise.all([quantized, await openModel(file)].map((m) => compile(m, { threads: 2 })));
    for (const sample of samplesOf(test.images, 10)) {
      const [a, b] = await Promise.all(sessions.map((s) => s.infer({ image: sample })));
      assert.deepEqual(new Uint32Array(b!.probabilities!.data.buffer), new Uint32Array(a!.probabilities!.data.buffer));
    }
    for (const session of sessions) await session.close();
  });
});
