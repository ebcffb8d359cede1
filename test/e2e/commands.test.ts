// Every command with --help, --json, --quiet and for people, on IR and ONNX, with every kind of data.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { readNpy } from '../../lib/tensor/npy.ts';
import { demoModel, lowp, lowpJson, lowpOk, temporaryFolder } from '../support/cli.ts';
import { writeGlyphs } from '../support/glyph-data.ts';
import { runnableIsas } from '../support/isas.ts';

const folder = temporaryFolder();
const data = writeGlyphs(folder, 1, 6);
const demoOnnx = demoModel.replace(/xml$/, 'onnx');
const commands = ['quantize', 'run', 'evaluate', 'benchmark', 'inspect', 'convert', 'doctor', 'hwbench', 'demo'];

/** Writes the six images in another form; returns what `--data` takes. */
const sources: Readonly<Record<string, () => Promise<string[]>>> = {
  'an .npy': async () => [data.images],
  'an .npy by the name of the input': async () => [`image=${data.images}`],
  'an .npz': async () => {
    const file = path.join(folder, 'data.npz');
    writeFileSync(file, zipSync({ 'image.npy': readFileSync(data.images) }));
    return [file];
  },
  'a dataset file in YAML': async () => {
    writeFileSync(path.join(folder, 'data.yaml'), `data: ${path.basename(data.images)}\n`);
    return [path.join(folder, 'data.yaml')];
  },
  'a dataset file in JSON': async () => {
    writeFileSync(path.join(folder, 'data.json'), JSON.stringify({ data: path.basename(data.images) }));
    return [path.join(folder, 'data.json')];
  },
  'a folder of images': async () => [await imageFolder('folder'), '--color', 'gray', '--scale', '255'],
  'a pattern of images': async () => [`${await imageFolder('pattern')}/*.png`, '--color', 'gray', '--scale', '255'],
};

/** The glyphs as PNG files; their values are steps of 1 / 255, so nothing is lost. */
async function imageFolder(name: string): Promise<string> {
  const dir = path.join(folder, name);
  mkdirSync(dir);
  const { data: pixels } = readNpy(readFileSync(data.images));
  for (let i = 0; i < 6; i++) {
    const bytes = Uint8Array.from({ length: 1024 }, (_, k) => Math.round(Number(pixels[i * 1024 + k]) * 255));
    await sharp(bytes, { raw: { width: 32, height: 32, channels: 1 } })
      .png()
      .toFile(path.join(dir, `${i}.png`));
  }
  writeFileSync(path.join(dir, 'notes.txt'), 'no image');
  return dir;
}

async function outputOf(name: string, args: readonly string[]): Promise<Buffer> {
  const dir = path.join(folder, `out-${name.replace(/\W/g, '-')}`);
  await lowpOk(['run', ...args, '--output-dir', dir]);
  return readFileSync(path.join(dir, 'probabilities.npy'));
}

describe('every command', { concurrency: 2 }, () => {
  for (const command of commands) {
    it(`${command} --help lists its options and the common ones on stdout`, async () => {
      const { stdout, stderr } = await lowpOk([command, '--help']);
      for (const option of ['--json', '--quiet', '--verbose', '--no-color', '--threads', '--max-isa'])
        assert.ok(stdout.includes(option), `${command} lacks ${option}`);
      assert.equal(stderr, '');
    });
  }

  it('is named by the program itself, with the exit codes', async () => {
    const { stdout } = await lowpOk(['--help']);
    for (const command of commands) assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'));
    assert.match(stdout, /130 interrupted/);
    assert.match((await lowpOk(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('shows the help and fails without a command', async () => {
    const { exit, stdout, stderr } = await lowp([]);
    assert.deepEqual([exit, stdout], [2, '']);
    assert.match(stderr, /Usage: lowp/);
  });
});

describe('lowp run', () => {
  it('gives the same bits from every form of the same data', async () => {
    const expected = await outputOf('plain', [demoModel, '--data', data.images]);
    for (const [what, write] of Object.entries(sources)) {
      const output = await outputOf(what, [demoModel, '--data', ...(await write())]);
      assert.ok(output.equals(expected), what);
    }
    assert.ok((await outputOf('batch', [demoModel, '--input', `image=${data.images}`])).equals(expected));
    assert.ok((await outputOf('bare', [demoModel, '--input', data.images])).equals(expected));
    assert.deepEqual(readNpy(expected).shape, [6, 20]);
  });

  it('reads ONNX as well, with close results by the reference engine', async () => {
    const [a, b] = [
      readNpy(await outputOf('onnx', [demoOnnx, '--data', data.images])),
      readNpy(await outputOf('reference', [demoModel, '--data', data.images, '--device', 'REFERENCE'])),
    ];
    for (const [i, v] of a.data.entries()) assert.ok(Math.abs(Number(v) - Number(b.data[i])) < 1e-4);
  });

  it('lists outputs and files, and dumps the tensors that are asked for', async () => {
    const { nodes } = (await lowpJson(['inspect', demoModel])) as { nodes: { name: string; type: string }[] };
    const pool = nodes.find((n) => n.type === 'MaxPool')!.name;
    const dir = path.join(folder, 'dump');
    const args = ['run', demoModel, '--data', data.images, '--output-dir', dir, '--dump', pool];
    const document = await lowpJson(args);
    assert.deepEqual(document.outputs, [
      { name: 'probabilities', type: 'f32', shape: [6, 20] },
      { name: pool, type: 'f32', shape: [6, 24, 16, 16] },
    ]);
    const files = document.files as string[];
    assert.deepEqual(files, [path.join(dir, 'probabilities.npy'), path.join(dir, `${pool.replace(/[/:]/g, '_')}.npy`)]);
    assert.deepEqual(readNpy(readFileSync(files[1]!)).shape, [6, 24, 16, 16]);
  });

  it('takes random data for a model with a free batch', async () => {
    const { stdout } = await lowpOk(['run', demoModel, '--data', 'random']);
    assert.equal(stdout, 'probabilities  f32[1,20]\n');
  });
});

describe('lowp evaluate', () => {
  it('gives fractions by metric, from options or from a dataset file', async () => {
    const labels = ['--data', data.images, '--labels', data.labels];
    const document = await lowpJson([
      'evaluate',
      demoModel,
      ...labels,
      '--metric',
      'accuracy@1',
      '--metric',
      'accuracy@20',
    ]);
    assert.deepEqual(Object.keys(document), ['schemaVersion', 'samples', 'metrics']);
    const metrics = document.metrics as Record<string, number>;
    assert.deepEqual(Object.keys(metrics), ['accuracy@1', 'accuracy@20']);
    assert.ok(metrics['accuracy@1']! > 0.5 && metrics['accuracy@1']! <= 1);
    assert.equal(metrics['accuracy@20'], 1);
    const file = path.join(folder, 'labelled.yaml');
    const names = { data: path.basename(data.images), labels: path.basename(data.labels), metrics: ['accuracy@20'] };
    writeFileSync(file, JSON.stringify(names));
    assert.deepEqual((await lowpJson(['evaluate', demoOnnx, '--dataset', file])).metrics, { 'accuracy@20': 1 });
    const { stdout } = await lowpOk(['evaluate', demoModel, '--dataset', file]);
    assert.equal(stdout, 'accuracy@20  100.00 %  (6 samples)\n');
  });

  it('finds the labels of images by file name', async () => {
    const dir = await imageFolder('labelled');
    const classes = Array.from(readNpy(readFileSync(data.labels)).data, Number);
    const lines = classes.map((c, i) => `${i}.png ${c}`).reverse();
    writeFileSync(path.join(dir, 'labels.txt'), lines.join('\n'));
    const images = ['--data', dir, '--color', 'gray', '--scale', '255', '--labels', path.join(dir, 'labels.txt')];
    const arrays = ['--data', data.images, '--labels', data.labels];
    const expected = (await lowpJson(['evaluate', demoModel, ...arrays])).metrics;
    assert.deepEqual((await lowpJson(['evaluate', demoModel, ...images])).metrics, expected);
  });
});

describe('lowp benchmark', () => {
  it('measures models in turns and compares them with the first', async () => {
    const isa = runnableIsas()[1] ?? 'scalar';
    const times = ['--seconds', '0.2', '--streams', '2', '--batch', '3', '--threads', '2'];
    const args = ['benchmark', demoModel, demoOnnx, ...times];
    const document = await lowpJson([...args, '--max-isa', isa, '--per-layer']);
    assert.deepEqual(Object.keys(document), ['schemaVersion', 'host', 'models']);
    const host = document.host as Record<string, unknown>;
    assert.deepEqual(Object.keys(host), ['cpu', 'isa', 'threads']);
    assert.deepEqual([host.isa, host.threads], [isa, 2]);
    const [first, second] = document.models as Record<string, unknown>[];
    assert.deepEqual(Object.keys(first!), [
      'path',
      'precision',
      'batch',
      'streams',
      'latencyMs',
      'throughputPerSecond',
      'firstInferenceMs',
      'compileMs',
      'peakRssBytes',
      'weightBytes',
      'ratioToFirst',
      'layers',
    ]);
    assert.deepEqual([first!.path, first!.precision, first!.batch, first!.streams], [demoModel, 'FP32', 3, 2]);
    assert.deepEqual(Object.keys(first!.latencyMs as object), ['min', 'median', 'mean', 'p90', 'p95', 'p99']);
    assert.deepEqual(first!.ratioToFirst, { latencyMedian: 1, throughput: 1, ci95: [1, 1] });
    assert.equal(second!.path, demoOnnx);
    const layers = first!.layers as { row: string; ms: number; share: number }[];
    assert.ok(layers.some((l) => l.row.startsWith(`gemm_f32_${isa}`)));
    assert.ok(Math.abs(layers.reduce((sum, l) => sum + l.share, 0) - 1) < 1e-6);
  });

  it('prints a line for each model', async () => {
    const { stdout } = await lowpOk(['benchmark', demoModel, '--seconds', '0.1', '--quiet', '--shape', '2,1,32,32']);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 4);
    assert.match(lines[3]!, /glyphs\.xml +FP32 .* 1\.00 ×$/);
  });
});

describe('lowp inspect', () => {
  it('shows ports, weights, and how each node runs', async () => {
    const document = await lowpJson(['inspect', demoModel]);
    assert.deepEqual(Object.keys(document), [
      'schemaVersion',
      'name',
      'inputs',
      'outputs',
      'weightBytes',
      'multiplyAccumulates',
      'costs',
      'nodes',
    ]);
    assert.deepEqual(document.inputs, [{ name: 'image', type: 'f32', shape: [-1, 1, 32, 32] }]);
    assert.deepEqual(document.outputs, [{ name: 'probabilities', type: 'f32', shape: [-1, 20] }]);
    for (const node of document.nodes as Record<string, unknown>[]) {
      assert.equal(node.precision, 'FP32');
      assert.ok(typeof node.reason === 'string');
    }
    assert.deepEqual(
      (document.costs as Record<string, unknown>[]).map((c) => c.precision),
      ['FP32'],
    );
    const { stdout } = await lowpOk(['inspect', demoOnnx]);
    assert.match(stdout, /^FP32 +\d+ +\d+\.\d +\d+\.\d{3}$/m);
    assert.match(stdout, /^input {2}image {2}f32\[\?,1,32,32\]\noutput {2}probabilities {2}f32\[\?,20\]\nweights/);
  });

  it('prints the model at every stage', async () => {
    const has: Readonly<Record<string, RegExp>> = {
      loaded: /image = Parameter\(\).*\[-1,1,32,32\]/,
      prepared: /image = Parameter\(\).*\[1,1,32,32\]/,
      quantized: /= FakeQuantize\(/,
      lowered: /gemm_f32_/,
      program: /convolution\(/,
    };
    for (const [stage, pattern] of Object.entries(has)) {
      const { stdout } = await lowpOk(['inspect', demoModel, '--stage', stage]);
      assert.match(stdout, pattern, stage);
    }
    const { text } = await lowpJson(['inspect', demoModel, '--stage', 'loaded']);
    assert.match(String(text), has.loaded!);
  });
});

describe('lowp convert', () => {
  it('changes the format and keeps the outputs', async () => {
    const back = path.join(folder, 'back.xml');
    const { stdout } = await lowpOk(['convert', demoOnnx, '-o', back]);
    assert.equal(stdout, `wrote ${back}\n`);
    const [a, b] = await Promise.all(
      [back, demoOnnx].map((m, i) => outputOf(`convert-${i}`, [m, '--data', data.images])),
    );
    assert.ok(a!.equals(b!));
    const again = path.join(folder, 'again.onnx');
    assert.deepEqual(await lowpJson(['convert', back, '-o', again]), { schemaVersion: 1, output: again });
    assert.ok(existsSync(again));
  });

  it('halves the floats with --precision fp16', async () => {
    const [half, full] = ['half.xml', 'full.xml'].map((f) => path.join(folder, f));
    await lowpOk(['convert', demoModel, '-o', half!, '--precision', 'fp16']);
    await lowpOk(['convert', half!, '-o', full!, '--precision', 'fp32']);
    const size = (file: string) => readFileSync(file.replace(/xml$/, 'bin')).length;
    assert.ok(size(half!) < 0.52 * size(demoModel));
    assert.ok(size(full!) > 1.9 * size(half!));
  });
});

type Times = { readonly leastUs: number; readonly medianUs: number };

describe('lowp hwbench', () => {
  it('measures the instructions up to the level that is asked for, every cache, and sharing work', async () => {
    const { cpu, arithmetic, reading, forkJoin } = (await lowpJson(['hwbench', '--max-isa', 'avx2'])) as unknown as {
      cpu: { cores: number };
      arithmetic: { isa: string; type: string; gops: number }[];
      reading: { level: string; gbps: number }[];
      forkJoin: { threads: number; spinning: Times; parked: Times }[];
    };
    assert.ok(arithmetic.every((p) => p.isa === 'avx2' && p.gops > 0));
    assert.ok(reading.every((p) => p.gbps > 0));
    assert.deepEqual([reading[0]?.level, reading.at(-1)?.level], ['L1', 'memory']);
    assert.equal(forkJoin.at(-1)?.threads, cpu.cores > 1 ? cpu.cores : undefined);
    for (const { leastUs, medianUs } of forkJoin.flatMap((f) => [f.spinning, f.parked]))
      assert.ok(leastUs > 0 && medianUs >= leastUs);
    const limited = await lowpJson(['hwbench', '--max-isa', 'scalar']);
    assert.deepEqual(limited.arithmetic, []);
  });
});

describe('lowp doctor', () => {
  it('tells the instruction set and why, the addon, the limits, and tests the kernels', async () => {
    const document = await lowpJson(['doctor']);
    assert.deepEqual(Object.keys(document), [
      'schemaVersion',
      'node',
      'cpu',
      'isaReason',
      'addon',
      'sharp',
      'limits',
      'selfTest',
    ]);
    assert.ok(existsSync(String(document.addon)));
    assert.equal((document.selfTest as { ok: boolean }).ok, true);
    const limited = await lowpOk(['doctor'], { env: { LOWP_MAX_ISA: 'scalar' } });
    assert.match(limited.stdout, /instruction set +scalar/);
    assert.match(limited.stdout, /kernels scalar +same bits/);
  });
});

it('colours nothing that is no terminal, and keeps --color apart from --no-color', async () => {
  const dir = await imageFolder('colours');
  const args = ['run', demoModel, '--data', dir, '--scale', '255', '--color', 'gray', '--no-color'];
  const { stdout } = await lowpOk(args);
  assert.equal(stdout, 'probabilities  f32[6,20]\n');
});
