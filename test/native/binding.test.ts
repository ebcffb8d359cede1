import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { addon, addonPath, loadFrom } from '../../lib/native/binding.ts';

/** Runs `body` in an empty folder that is removed afterwards. */
function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'lowp-binding-'));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('loads one binary and keeps it', () => {
  assert.equal(addon(), addon());
  assert.match(addonPath(), /\.node$/);
});

test('says where it looked when there is no binary', () => {
  inFolder((folder) => {
    assert.throws(
      () => loadFrom(folder),
      (error: unknown) =>
        error instanceof LowpError &&
        error.code === 'ERR_NATIVE_MISSING' &&
        error.message.includes(path.join(folder, 'build', 'Release')) &&
        error.message.includes(path.join(folder, 'prebuilds', `${process.platform}-${process.arch}`)) &&
        error.help !== undefined,
    );
  });
});

test('names the file and the reason when a binary cannot be loaded', () => {
  inFolder((folder) => {
    const release = path.join(folder, 'build', 'Release');
    mkdirSync(release, { recursive: true });
    const file = path.join(release, 'lowp.node');
    writeFileSync(file, 'not a shared object');
    assert.throws(
      () => loadFrom(folder),
      (error: unknown) =>
        error instanceof LowpError &&
        error.code === 'ERR_NATIVE_MISSING' &&
        error.message.includes(`${file}: `) &&
        error.cause instanceof Error,
    );
  });
});
