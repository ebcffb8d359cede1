// A detector, a segmenter and a text model through the command line, as dataset files describe them.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { prepareArrays } from '../../bench/accuracy/prepare.ts';
import { lowpJson, lowpOk, temporaryFolder } from '../support/cli.ts';
import { repositoryRoot, sharedFolder } from '../support/shared-folder.ts';

const models = sharedFolder('models');
const data = sharedFolder('data');
const folder = temporaryFolder();
const skip = models.skip || data.skip;
const described = (name: string): string => path.join(repositoryRoot(), 'bench/accuracy', `${name}.yaml`);
const model = (name: string): string => path.join(models.path, `${name}.onnx`);

async function evaluate(file: string, ...args: string[]): Promise<Record<string, number>> {
  const { metrics } = (await lowpJson(['evaluate', file, ...args])) as { metrics: Record<string, number> };
  return metrics;
}

const near = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected} ± ${tolerance}`);

/** FP32 within a ten thousandth of what was measured before, INT8 and its simulation not far away. */
describe('tasks beyond classification', { skip, timeout: 10 * 60_000 }, () => {
  it('a detector: boxes from YOLOX grids, mean average precision', async () => {
    const args = ['--dataset', described('yolox_nano'), '--limit', '8'];
    const float = await evaluate(model('yolox_nano'), ...args);
    near(float.map!, 0.39169, 2e-4);
    near(float['map@0.5']!, 0.60371, 2e-4);
    const int8 = path.join(folder, 'yolox.xml');
    const calibration = ['--data', described('yolox_nano.calibration'), '--subset-size', '24'];
    await lowpOk(['quantize', model('yolox_nano'), '-o', int8, ...calibration]);
    near((await evaluate(int8, ...args)).map!, float.map!, 0.06);
  });

  it('a segmenter: classes by argmax, intersection over union without void', async () => {
    const args = ['--dataset', described('enet_camvid'), '--limit', '2'];
    const float = await evaluate(model('enet_camvid'), ...args);
    near(float.miou!, 0.62741, 1e-4);
    near(float['pixel-accuracy']!, 0.90551, 1e-4);
  });

  it('a text model: two integer inputs; bytes and simulated quantizers agree', async () => {
    const arrays = path.join(folder, 'arrays');
    mkdirSync(arrays);
    prepareArrays('sst2_bert_small_op13', data.path, arrays);
    const feeds = (part: string): string =>
      ['ids', 'mask'].map((name) => `${name}=${path.join(arrays, `sst2_${part}${name}.npy`)}`).join(',');
    const args = ['--data', feeds(''), '--labels', path.join(arrays, 'sst2_labels.npy'), '--limit', '100'];
    const name = model('sst2_bert_small_op13');
    assert.equal((await evaluate(name, ...args))['accuracy@1'], 0.77);
    const int8 = path.join(folder, 'sst2.xml');
    const calibration = ['--data', feeds('calibration_'), '--subset-size', '50', '--model-type', 'transformer'];
    await lowpOk(['quantize', name, '-o', int8, ...calibration]);
    const bytes = (await evaluate(int8, ...args))['accuracy@1']!;
    near(bytes, 0.77, 0.03);
    near((await evaluate(int8, ...args, '--device', 'CPU_FP32'))['accuracy@1']!, bytes, 0.01);
  });

  it('a reference model stands for labels', async () => {
    const args = ['--dataset', described('version-RFB-320'), '--limit', '12', '--device', 'CPU'];
    assert.deepEqual(await evaluate(model('version-RFB-320'), ...args), { f1: 1 });
    const other = await evaluate(model('version-slim-320'), ...args);
    assert.ok(other.f1! > 0.5 && other.f1! < 1, `${other.f1}`);
  });
});
