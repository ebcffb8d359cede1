// The networks of the benchmark, and calibration data for them.
import path from 'node:path';
import type { DataOptions } from '../../lib/data/open.ts';
import { openData } from '../../lib/data/open.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { syntheticNetworks } from './synthetic/index.ts';

export interface Network {
  readonly name: string;
  readonly file: string;
  readonly input: string;
  /** Without the batch. */
  readonly shape: readonly number[];
  /** Kind of model for `quantize()`. */
  readonly modelType?: 'transformer';
  /** Makes the file when it is one that is made. */
  prepare?(): Promise<void>;
  samples(): Promise<AsyncIterable<Readonly<Record<string, Tensor>>>>;
}

const shared = path.resolve('../shared');

const imagenet = { resize: 'short:256', crop: '224x224' } as const;

const cifar = { sourceLayout: 'NHWC', mean: [123.675, 116.28, 103.53], scale: [58.395, 57.12, 57.375] } as const;

function network(name: string, shape: readonly number[], data: string, options: DataOptions): Network {
  const input = 'input';
  return {
    name,
    file: path.join(shared, 'models', `${name}.onnx`),
    input,
    shape,
    async samples() {
      const opened = await openData(
        path.join(shared, 'data', data),
        [{ name: input, type: 'f32', shape: [-1, ...shape] }],
        options,
      );
      return (async function* () {
        for await (const sample of opened.data) yield sample.inputs;
      })();
    },
  };
}

export const networks: readonly Network[] = [
  network('mobilenet_v1_0.75_224', [3, 224, 224], 'imagenet/calib', { ...imagenet, mean: [127.5], scale: [127.5] }),
  network('squeezenet1_1', [3, 224, 224], 'imagenet/calib', { ...imagenet, color: 'bgr', mean: [104, 117, 123] }),
  network('cifar10_resnet20', [3, 32, 32], 'cifar10/calib_images.npy', cifar),
  ...syntheticNetworks,
];

/** The same network before its batch normalization was folded: read and compared, not timed. */
export const unfolded: readonly Network[] = [
  network('cifar10_resnet20_bn', [3, 32, 32], 'cifar10/calib_images.npy', cifar),
];
