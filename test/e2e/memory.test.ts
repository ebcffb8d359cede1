// Calibration needs as much memory for thousands of samples as for a few.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('../support/calibration-process.js', import.meta.url));

/** KiB that a process held at most. */
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
    it(name, { timeout: 300_000 }, async () => {
      const few = await peak(network, 30, node);
      const many = await peak(network, 3000, node);
      assert.ok(many <= 1.1 * few, `${many} KiB with 3000 samples, ${few} KiB with 30`);
    });
  }
});
