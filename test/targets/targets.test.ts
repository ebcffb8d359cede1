import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { rowOf, targetOf, targets } from '../../lib/targets/index.ts';

const isCode =
  (code: string) =>
  (e: unknown): boolean =>
    e instanceof LowpError && e.code === code;

describe('targets', () => {
  it('are found without regard to case', () => {
    assert.equal(targetOf('cpu').name, 'CPU');
  });

  it('that are unknown are refused with the known names', () => {
    assert.throws(() => targetOf('TPU'), isCode('ERR_TARGET_UNKNOWN'));
    assert.throws(() => targetOf('TPU'), /ANY, CPU, CPU_SPR, GPU, NPU, VPU, GNA, GNA3/);
  });

  it('have one table for both names of the third generation', () => {
    assert.equal(targetOf('GNA3.5'), targetOf('gna3'));
  });

  it("may be tables of one's own, which are refused for the same reasons", () => {
    const own = { ...targetOf('CPU'), name: 'OWN' };
    assert.equal(targetOf(own), own);
    assert.throws(() => targetOf({ ...own, unsupported: 'no kernels' }), isCode('ERR_ALGO_UNSUPPORTED'));
  });

  it('list each operation type once', () => {
    for (const target of targets) {
      const types = target.operations.flatMap((row) => [...row.types]);
      assert.equal(new Set(types).size, types.length, target.name);
    }
  });

  it('give depthwise convolutions one scale per channel, dense ones one per tensor', () => {
    const cpu = targetOf('CPU');
    assert.ok(rowOf(cpu, 'DepthWiseConvolution')!.activations!.every((c) => c.granularity === 'perChannel'));
    assert.ok(rowOf(cpu, 'Convolution')!.activations!.every((c) => c.granularity === 'perTensor'));
    assert.equal(rowOf(cpu, 'ReLU'), undefined);
  });

  it('keep 8 bits first and last for activations of the NPU', () => {
    const row = rowOf(targetOf('NPU'), 'Convolution')!;
    assert.deepEqual([row.activations![0]!.bits, row.activations!.at(-1)!.bits], [8, 8]);
    assert.equal(row.weights!.at(-1)!.unifiedZeroPoint, true);
  });

  it('leave recurrent sequences of GPUs in floating point', () => {
    assert.equal(rowOf(targetOf('GPU'), 'LSTMSequence'), undefined);
    assert.ok(rowOf(targetOf('CPU'), 'LSTMSequence'));
  });
});
