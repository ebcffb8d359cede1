import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  appendEntries,
  createOutlierChannelSplitting,
} from '../../../lib/algorithms/outlier-channel-splitting/algorithm.ts';
import { splitChannels } from '../../../lib/algorithms/outlier-channel-splitting/split.ts';
import { verify } from '../../../lib/graph/verify.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { Network } from '../../support/network.ts';
import { constantAt, outputsOf, runAlgorithms } from '../../support/pipeline.ts';

describe('splitting channels of weights', () => {
  it('halves what is above half of the maximum, by hand', () => {
    // Outputs (1, 8) and (2, -3): channel 1 is split at 4. 8 becomes 4 and 4; -3 stays in the first.
    const { values, inputs, sources } = splitChannels(Float64Array.of(1, 8, 2, -3), 2, 2, 1, 1);
    assert.deepEqual([...values], [1, 4, 4, 2, -3, 0]);
    assert.deepEqual([inputs, sources], [3, [1]]);
  });

  it('may split a channel again, and its copy', () => {
    const { values, sources } = splitChannels(Float64Array.of(1, 8), 1, 2, 1, 3);
    assert.deepEqual([...values], [1, 2, 2, 2, 2]);
    assert.deepEqual(sources, [1, 1, 1]);
  });

  it('keeps the sum over repeated inputs and never grows the maximum', () => {
    const cases = fc.tuple(
      fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 6, maxLength: 6 }),
      fc.integer({ min: 1, max: 4 }),
    );
    fc.assert(
      fc.property(cases, ([list, count]) => {
        const { values, inputs, sources } = splitChannels(Float64Array.from(list), 1, 3, 2, count);
        const sums = new Float64Array(6);
        for (let c = 0; c < inputs; c++) {
          for (let k = 0; k < 2; k++) sums[(c < 3 ? c : sources[c - 3]!) * 2 + k]! += values[c * 2 + k]!;
        }
        const most = (v: ArrayLike<number>): number => Math.max(...Array.from(v, Math.abs));
        return sums.every((v, i) => Math.abs(v - list[i]!) < 1e-12) && most(values) <= most(list);
      }),
    );
  });

  it('repeats entries of an axis', () => {
    const { shape, data } = appendEntries(tensor('f32', [2, 2], [1, 2, 3, 4]), 1, [0]);
    assert.deepEqual(
      [shape, [...data]],
      [
        [2, 3],
        [1, 2, 1, 3, 4, 3],
      ],
    );
  });
});

describe('outlier channel splitting', () => {
  it('keeps the function through activations, sums, scales and depthwise convolutions', async () => {
    const net = new Network(5);
    const x = net.input('x', [1, 3, 8, 8]);
    const a = net.op('PReLU', 'pa', [net.convolution('a', x, 6), net.weights('slope', [6])]);
    const d = net.op('ReLU', 'rd', [net.depthwise('d', a)]);
    const sum = net.op('Add', 'sum', [d, net.convolution('b', x, 6)]);
    const scaled = net.op('Multiply', 'scaled', [sum, net.weights('scale', [1, 6, 1, 1])]);
    net.result(net.convolution('c', scaled, 4));
    const samples = Array.from({ length: 2 }, () => ({ x: net.noise([1, 3, 8, 8]) }));
    const { work, warnings } = await runAlgorithms(
      net.model,
      [createOutlierChannelSplitting({ expansionRatio: 0.4 })],
      samples,
    );
    verify(work);
    assert.deepEqual(warnings, []);
    assert.deepEqual(work.node('c').source(1)!.fact.shape, [4, 9, 3, 3]);
    assert.deepEqual(work.node('a').output.fact.shape, [1, 9, 8, 8]);
    assert.deepEqual(work.node('d').source(1)!.fact.shape, [9, 1, 1, 3, 3]);
    const most = (name: string, model: typeof work): number => Math.max(...constantAt(model, name, 1).map(Math.abs));
    assert.ok(most('c', work) < most('c', net.model));
    const [before, after] = [await outputsOf(net.model, samples), await outputsOf(work, samples)];
    for (const [i, output] of before.entries()) {
      assert.ok(output.every((v, k) => Math.abs(v - after[i]![k]!) < 1e-4));
    }
  });

  it('leaves convolutions alone whose inputs cannot repeat channels, and says when none can', async () => {
    const net = new Network(5);
    const x = net.input('x', [1, 3, 8, 8]);
    const a = net.op('ReLU', 'ra', [net.convolution('a', x, 4)]);
    const join = net.op('Concat', 'join', [a, net.convolution('b', a, 4)], { axis: 1 });
    net.result(net.convolution('c', join, 4));
    const { work, warnings } = await runAlgorithms(net.model, [createOutlierChannelSplitting()], []);
    for (const name of ['a', 'b', 'c']) assert.deepEqual(constantAt(work, name, 1), constantAt(net.model, name, 1));
    assert.equal(warnings.length, 1);
  });
});
