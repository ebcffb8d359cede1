import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMinMax } from '../../../lib/algorithms/min-max/algorithm.ts';
import { createOverflowCorrection } from '../../../lib/algorithms/overflow-correction/algorithm.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { evaluatePort } from '../../../lib/lowering/int8/weights.ts';
import { targetOf } from '../../../lib/targets/index.ts';
import { toFloat64 } from '../../../lib/tensor/convert.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { Network } from '../../support/network.ts';
import { constantAt, runAlgorithms } from '../../support/pipeline.ts';

const wide = { bits: 16, mode: 'symmetric', granularity: 'perTensor' } as const;

/** y = W x with 16-bit data and weights: x is 1 everywhere, weights are 1. */
async function corrected(largestSum: number, bits = 16): Promise<Model> {
  const net = new Network();
  const x = net.input('x', [1, 4]);
  const w = net.value('w', tensor('f32', [1, 4], [1, 1, 1, 1]));
  net.result(net.bias('b', net.op('MatMul', 'fc', [x, w], { transpose_b: true }), 1, 1));
  const q =
    bits === 16
      ? { ...wide, levelLow: -32767, levelHigh: 32767 }
      : { ...wide, bits: 8, levelLow: -127, levelHigh: 127 };
  const minMax = createMinMax({
    preset: 'performance',
    weights: q,
    activations: { ...wide, levelLow: -32768, levelHigh: 32767 },
  });
  const algorithms = [minMax, createOverflowCorrection({ largestSum })];
  const ones = { x: tensor('f32', [1, 4], [1, 1, 1, 1]) };
  return (await runAlgorithms(net.model, algorithms, [ones], { target: targetOf('CPU') })).work;
}

describe('overflow correction', () => {
  it('divides the stored weights by what the sum exceeds, and keeps their values', async () => {
    const plain = await corrected(2 ** 52);
    const quantizer = 'fc/fq_weights_1';
    const weightStep = (constantAt(plain, quantizer, 4)[0]! - constantAt(plain, quantizer, 3)[0]!) / 65534;
    const dataLimits = [3, 4].map((i) => constantAt(plain, 'fc/fq_input_0', i)[0]!);
    const dataStep = (dataLimits[1]! - dataLimits[0]!) / (Number(plain.node('fc/fq_input_0').attributes.levels) - 1);
    const outputMax = Math.max(...constantAt(plain, 'b', 1).map((b) => Math.abs(4 + b)));
    const sum = Math.trunc(outputMax / (dataStep * weightStep));
    const work = await corrected(sum / 2.5);
    const stored = constantAt(work, quantizer, 0)[0]!;
    assert.ok(Math.abs(stored - 1 / 2.5) < 1e-6, `${stored}`);
    assert.deepEqual(constantAt(work, quantizer, 2), constantAt(plain, quantizer, 2), 'input limits stay');
    assert.ok(Math.abs(constantAt(work, quantizer, 4)[0]! - 2.5 * constantAt(plain, quantizer, 4)[0]!) < 1e-5);
    const values = toFloat64(evaluatePort(work.node(quantizer).output));
    assert.ok(
      values.every((v) => Math.abs(v - 1) < 1e-4),
      `${values}`,
    );
  });

  it('leaves weights alone whose sums fit, and weights of 8 bits', async () => {
    assert.deepEqual(constantAt(await corrected(2 ** 33), 'fc/fq_weights_1', 0), [1, 1, 1, 1]);
    assert.deepEqual(constantAt(await corrected(1, 8), 'fc/fq_weights_1', 0), [1, 1, 1, 1]);
  });
});
