// The addon loads in worker threads, beside the main thread, and they end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { cpuInfo } from 'lowp';

if (isMainThread) {
  const expected = cpuInfo().isa;
  for (let i = 0; i < 4; i++) {
    const worker = new Worker(new URL(import.meta.url));
    const [[isa]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    assert.equal(isa, expected);
  }
} else parentPort.postMessage(cpuInfo().isa);
