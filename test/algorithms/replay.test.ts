import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOneShot, Replay } from '../../lib/algorithms/replay.ts';
import { streamed } from '../support/pipeline.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('replay', () => {
  it('tells generators from sources that start anew', () => {
    assert.equal(isOneShot(streamed([1])), true);
    assert.equal(isOneShot([1].values()), true);
    assert.equal(isOneShot([1]), false);
    assert.equal(isOneShot({ [Symbol.asyncIterator]: () => streamed([1]) }), false);
  });

  it('reads a generator again, and again after a reading that stopped early', async () => {
    const replay = new Replay(streamed([1, 2, 3]));
    for await (const item of replay.read()) if (item === 2) break;
    assert.deepEqual(await all(replay.read()), [1, 2, 3]);
    assert.deepEqual(await all(replay.read(true)), [1, 2, 3]);
  });

  it('keeps nothing of a generator that is read once', async () => {
    const replay = new Replay(streamed([1, 2]));
    assert.deepEqual(await all(replay.read(true)), [1, 2]);
    assert.deepEqual(await all(replay.read()), [], 'nothing was kept');
  });

  it('asks a source that starts anew each time', async () => {
    let asked = 0;
    const replay = new Replay({
      [Symbol.asyncIterator]: () => {
        asked++;
        return streamed([asked]);
      },
    });
    assert.deepEqual(await all(replay.read()), [1]);
    assert.deepEqual(await all(replay.read()), [2]);
  });
});
