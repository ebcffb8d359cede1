// Calibration needs as much memory for thousands of samples as for a few.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { saveModel } from '../../lib/formats/index.ts';
import { writeNpy } from '../../lib/tensor/npy.ts';
import { random } from '../../lib/util/random.ts';
import { lowpOk, temporaryFolder } from '../support/cli.ts';
import { Network } from '../support/network.ts';

const program = fileURLToPath(new URL('../support/calibration-process.js', import.meta.url));

/** KiB that a process which calls `quantize()` held at most. */
async function peak(network: readonly [channels: number, size: number], samples: number, node: readonly string[]) {
  const args = [...node, program, ...network.map(String), String(samples)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

/**
 * V8 lets up to 16 MiB of garbage gather before it looks for any, twice over, and as much in array buffers: memory that the
 * first thousand samples touch, whatever they are for. Beside a small network that would be all there is to see.
 */
const littleGarbage = ['--max-semi-space-size=2'];

describe('3000 samples take at most 10 % more memory than 30', {
  skip: !existsSync('/proc/self/status') && 'peak memory is read from /proc',
}, () => {
  const cases = [
    { name: 'a small network', network: [8, 32], node: littleGarbage },
    { name: 'a network of some size, V8 as it comes', network: [128, 24], node: [] },
  ] as const;
  for (const { name, network, node } of cases) {
    it(`quantize(): ${name}`, { timeout: 300_000 }, async () => {
      const few = await peak(network, 30, node);
      const many = await peak(network, 3000, node);
      assert.ok(many <= 1.1 * few, `${many} KiB with 3000 samples, ${few} KiB with 30`);
    });
  }

  // V8 compiles what is called often on up to four threads, each of which keeps memory of its own: 10 MB in all, once.
  // Beside a network of next to nothing it shows, so that one is compared when it has been done.
  const networks = [
    { channels: 1, size: 8, least: 1000 },
    { channels: 8, size: 32, least: 30 },
    { channels: 32, size: 32, least: 30 },
  ];
  for (const { channels, size, least } of networks) {
    const name = `lowp quantize: ${channels} channels of ${size}x${size}, V8 as it comes`;
    it(name, { timeout: 300_000 }, async () => {
      const folder = temporaryFolder();
      await writeCase(folder, channels, size);
      const few = await peakOfCommand(folder, least);
      const many = await peakOfCommand(folder, 3000);
      assert.ok(many <= 1.1 * few, `${many} KiB with 3000 samples, ${few} KiB with ${least}`);
    });
  }
});

/** `model.xml` and `data.npy` with 3000 samples. */
async function writeCase(folder: string, channels: number, size: number): Promise<void> {
  const net = new Network();
  let x = net.input('x', [1, 3, size, size]);
  for (let i = 0; i < 4; i++) x = net.op('ReLU', `relu${i}`, [net.convolution(`conv${i}`, x, channels)]);
  net.result(x);
  await saveModel(net.model, path.join(folder, 'model.xml'));
  const shape = [3000, 3, size, size];
  const { next } = random(1);
  const data = Float32Array.from({ length: 3000 * 3 * size * size }, () => 2 * next() - 1);
  writeFileSync(path.join(folder, 'data.npy'), writeNpy({ type: 'f32', shape, data }));
}

/** Code that node runs in front of a program: it prints the most memory that the process held, in KiB, at its end. */
const printPeak = `import { readFileSync } from 'node:fs';
process.on('exit', () => {
  console.error('peak ' + /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
});`;

/** KiB that `lowp quantize` held at most. */
async function peakOfCommand(cwd: string, samples: number): Promise<number> {
  const args = ['model.xml', '--data', 'data.npy', '-o', 'int8.xml', '--subset-size', `${samples}`, '--threads', '1'];
  const node = ['--import', `data:text/javascript,${encodeURIComponent(printPeak)}`];
  const { stderr } = await lowpOk(['quantize', ...args], { cwd, node });
  return Number(/peak (\d+)/.exec(stderr)![1]);
}
