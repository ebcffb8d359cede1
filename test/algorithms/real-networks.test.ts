// What the corrections are worth on a trained network: the noise at the output of MobileNet v1, on photographs.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { inputInfos } from '../../lib/cli/options.ts';
import { openData } from '../../lib/data/open.ts';
import type { Model } from '../../lib/graph/model.ts';
import { compile, openModel, type QuantizeOptions, quantize, type Tensor } from '../../lib/index.ts';
import { sharedFolder } from '../support/shared-folder.ts';

const models = sharedFolder('models');
const data = sharedFolder('data');

type Inputs = Readonly<Record<string, Tensor>>;

async function photographs(model: Model, part: string, count: number): Promise<Inputs[]> {
  const options = { resize: 'short:256', crop: '224x224', mean: [127.5], scale: [127.5] };
  const opened = await openData(path.join(data.path, 'imagenet', part), inputInfos(model), options);
  const samples: Inputs[] = [];
  for await (const { inputs } of opened.data) {
    samples.push(inputs);
    if (samples.length === count) break;
  }
  return samples;
}

async function outputsOf(model: Model, samples: readonly Inputs[]): Promise<Float32Array[]> {
  await using session = await compile(model);
  const outputs: Float32Array[] = [];
  for (const inputs of samples) outputs.push(Object.values(await session.infer(inputs))[0]!.data as Float32Array);
  return outputs;
}

describe('corrections on MobileNet v1', { skip: models.skip || data.skip }, () => {
  it('take most of the noise out of the output', async () => {
    const model = await openModel(path.join(models.path, 'mobilenet_v1_0.75_224.onnx'));
    const [calibration, test] = [await photographs(model, 'calib', 20), await photographs(model, 'test', 20)];
    const wanted = await outputsOf(model, test);
    const decibels = async (options: QuantizeOptions): Promise<number> => {
      const { model: quantized } = await quantize(model, calibration, { subsetSize: 20, ...options });
      let [signal, noise] = [0, 0];
      for (const [i, output] of (await outputsOf(quantized, test)).entries()) {
        for (const [k, v] of output.entries()) {
          signal += wanted[i]![k]! ** 2;
          noise += (v - wanted[i]![k]!) ** 2;
        }
      }
      return 10 * Math.log10(signal / noise);
    };
    const none = await decibels({ biasCorrection: 'no' });
    const fast = await decibels({ biasCorrection: 'fast' });
    const full = await decibels({ biasCorrection: 'full', details: { fullBiasCorrection: { sampleShare: 1 } } });
    assert.ok(fast > none + 3, `no correction ${none} dB, fast ${fast} dB`);
    assert.ok(full > none + 3, `no correction ${none} dB, full ${full} dB`);
  });
});
