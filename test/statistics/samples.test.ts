import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../lib/statistics/batches.ts';
import { checkedSamples, checkSample, requireFinite, type Samples } from '../../lib/statistics/samples.ts';
import { tensor, zeros } from '../../lib/tensor/tensor.ts';
import { Network } from '../support/network.ts';

function twoInputs(): Network {
  const net = new Network();
  net.result(net.op('Add', 'sum', [net.input('image', [1, 2]), net.input('other', [1, -1])]));
  return net;
}

function oneInput(): Network {
  const net = new Network();
  net.result(net.op('ReLU', 'relu', [net.input('image', [1, 2])]));
  return net;
}

const good = zeros('f32', [1, 2]);

describe('a sample', () => {
  it('may be a tensor when the model has one input', () => {
    assert.deepEqual(Object.keys(checkSample(oneInput().model, good, 0)), ['image']);
  });

  it('may have any size on a dynamic axis', () => {
    const feeds = checkSample(twoInputs().model, { image: good, other: zeros('f32', [1, 7]) }, 0);
    assert.deepEqual(feeds.other!.shape, [1, 7]);
  });

  it('may have floats of another size, which are converted', () => {
    const feeds = checkSample(oneInput().model, tensor('f64', [1, 2], [1, 2]), 0);
    assert.deepEqual([feeds.image!.type, ...feeds.image!.data], ['f32', 1, 2]);
  });

  for (const [what, sample, code, text] of [
    ['one tensor for two inputs', good, 'ERR_DATA_INPUT', /2 inputs: image, other/],
    ['a missing input', { image: good }, 'ERR_DATA_INPUT', /sample 3 .*'other'/],
    ['an unknown input', { image: good, other: good, more: good }, 'ERR_DATA_INPUT', /'more'/],
    ['another shape', { image: zeros('f32', [1, 3]), other: good }, 'ERR_DATA_SHAPE', /\[1,3\].*\[1,2\]/],
    ['another rank', { image: zeros('f32', [2]), other: good }, 'ERR_DATA_SHAPE', /\[2\]/],
    ['another type', { image: zeros('u8', [1, 2]), other: good }, 'ERR_DATA_TYPE', /u8.*f32/],
    ['NaN', { image: tensor('f32', [1, 2], [0, Number.NaN]), other: good }, 'ERR_DATA_NOT_FINITE', /sample 3/],
    [
      'infinity',
      { image: tensor('f32', [1, 2], [0, Number.POSITIVE_INFINITY]), other: good },
      'ERR_DATA_NOT_FINITE',
      /image/,
    ],
    [
      'too few elements',
      { image: { ...good, data: new Float32Array(1) }, other: good },
      'ERR_DATA_SHAPE',
      /1 elements/,
    ],
  ] as const) {
    it(`with ${what} is refused, naming it`, () => {
      assert.throws(() => requireFinite(checkSample(twoInputs().model, sample, 3), 3), { code, message: text });
    });
  }

  it('with a misspelt input gets a suggestion', () => {
    assert.throws(() => checkSample(twoInputs().model, { imgae: good, other: good }, 0), {
      help: /'imgae' to 'image'/,
    });
  });

  it('without the batch axis gets a hint', () => {
    assert.throws(() => checkSample(oneInput().model, zeros('f32', [2]), 0), { help: /batch axis/ });
  });
});

describe('samples', () => {
  const collect = async (samples: Samples, subsetSize: number): Promise<number> => {
    let count = 0;
    for await (const _ of checkedSamples(oneInput().model, samples, { subsetSize })) count++;
    return count;
  };

  it('are looked at when that is asked for, each of those that make a batch', async () => {
    const net = new Network();
    net.result(net.op('ReLU', 'relu', [net.input('image', [3, 1, 1, 2])]));
    const one = (...data: number[]) => tensor('f32', [1, 1, 1, 2], data);
    const three = [one(1, 2), one(3, 4), one(5, 6)];
    const batches: Batch[] = [];
    for await (const batch of checkedSamples(net.model, [...three, one(7, 8), one(Number.NaN, 9)], { subsetSize: 9 }))
      batches.push(batch);
    batches[0]!.requireFinite!();
    assert.throws(() => batches[1]!.requireFinite!(), { code: 'ERR_DATA_NOT_FINITE', message: /sample 4/ });
    assert.equal(batches.length, 2);
  });

  it('are read up to the subset size, and the source is closed', async () => {
    let isClosed = false;
    async function* endless() {
      try {
        for (;;) yield good;
      } finally {
        isClosed = true;
      }
    }
    assert.equal(await collect(endless(), 5), 5);
    assert.equal(isClosed, true);
  });

  it('may be fewer than the subset', async () => {
    assert.equal(await collect([good, good], 5), 2);
  });

  it('must be iterable', async () => {
    await assert.rejects(collect(7 as unknown as Samples, 5), { code: 'ERR_DATA_FORMAT' });
    await assert.rejects(collect([null as never], 5), { code: 'ERR_DATA_FORMAT' });
  });
});
