// A process that calibrates a network with generated samples and prints the most memory it ever held, in KiB.
//
//   node calibration-process.js CHANNELS SIZE SAMPLES
import { readFileSync } from 'node:fs';
import { quantize } from '../../lib/quantize.ts';
import { elementCount } from '../../lib/tensor/shape.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { Network } from './network.ts';

const [channels, size, samples] = process.argv.slice(2).map(Number) as [number, number, number];
const shape = [1, 3, size, size];

const net = new Network();
let x = net.input('x', shape);
for (let i = 0; i < 4; i++) x = net.op('ReLU', `relu${i}`, [net.convolution(`conv${i}`, x, channels)]);
net.result(x);

/** Each sample in memory of its own, as readers of files give them. */
function* generated(): Generator<Tensor> {
  let state = 1;
  for (let n = 0; n < samples; n++) {
    const data = new Float32Array(elementCount(shape));
    for (let i = 0; i < data.length; i++) {
      state = (state * 13 + 7) % 1009;
      data[i] = state / 500 - 1;
    }
    yield { type: 'f32', shape, data };
  }
}

await quantize(net.model, generated(), { subsetSize: samples, threads: 1 });
process.stdout.write(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]!);
