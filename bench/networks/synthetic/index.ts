// Networks with seeded random weights that are built when they are asked for, because they are too large to be stored.
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Model, saveModel, type Tensor, tensor } from '../../../lib/index.ts';
import { random } from '../../../lib/util/random.ts';
import type { Network } from '../models.ts';
import { bertLayer } from './bert-layer.ts';
import { mobilenetV2 } from './mobilenet-v2.ts';
import { resnet50 } from './resnet50.ts';

const folder = path.resolve('build/bench');

/** Calibration samples: their values are random, so that more would not change the ranges much. */
const sampleCount = 8;

function network(
  name: string,
  shape: readonly number[],
  build: () => Model,
  rest: Pick<Network, 'modelType'> = {},
): Network {
  const file = path.join(folder, `${name}.onnx`);
  return {
    ...rest,
    name,
    file,
    input: 'input',
    shape,
    async prepare() {
      if (await stat(file).catch(() => undefined)) return;
      await mkdir(folder, { recursive: true });
      await saveModel(build(), file);
    },
    samples: () => Promise.resolve(samples(shape)),
  };
}

async function* samples(shape: readonly number[]): AsyncGenerator<Readonly<Record<string, Tensor>>> {
  const r = random(7);
  const length = shape.reduce((a, b) => a * b, 1);
  for (let i = 0; i < sampleCount; i++)
    yield {
      input: tensor(
        'f32',
        [1, ...shape],
        Float32Array.from({ length }, () => r.normal()),
      ),
    };
}

export const syntheticNetworks: readonly Network[] = [
  network('resnet50', [3, 224, 224], resnet50),
  network('mobilenet_v2', [3, 224, 224], mobilenetV2),
  network('bert_layer', [128, 768], () => bertLayer(), { modelType: 'transformer' }),
];
