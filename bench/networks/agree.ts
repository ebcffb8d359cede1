// npm run agree: FP32 outputs of lowp beside ONNX Runtime's on real samples, on every instruction set. Exits with 1 when
// they differ by more than 1e-4 of the output's range, or lowp's own bits differ between instruction sets.
import { stat } from 'node:fs/promises';
import { compile, cpuInfo, openModel } from '../../lib/index.ts';
import { bitEqual } from '../../lib/tensor/compare.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';
import { type Network, networks, unfolded } from './models.ts';
import { loadOnnxRuntime } from './onnx-runtime.ts';

const tolerance = 1e-4;
const samples = 3;

/** Largest difference over the range of the expected values. */
function relativeError(expected: Float32Array, actual: ArrayLike<number | bigint>): number {
  let [low, high, error] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const [i, v] of expected.entries()) {
    low = Math.min(low, v);
    high = Math.max(high, v);
    error = Math.max(error, Math.abs(v - Number(actual[i])));
  }
  return error / (high - low);
}

async function compare(network: Network): Promise<boolean> {
  const ort = loadOnnxRuntime();
  const peer = await ort.InferenceSession.create(network.file, { logSeverityLevel: 3 });
  const model = await openModel(network.file);
  let worst = 0;
  let equal = true;
  let count = 0;
  for await (const feeds of await network.samples()) {
    if (count++ === samples) break;
    const x = feeds[network.input]!;
    const expected = Object.values(
      await peer.run({ [network.input]: new ort.Tensor('float32', x.data as Float32Array, x.shape) }),
    )[0]!;
    let first: Tensor | undefined;
    for (const maxIsa of cpuInfo().isas) {
      await using session = await compile(model, { maxIsa, shapes: { [network.input]: x.shape } });
      const actual = Object.values(await session.infer(feeds))[0]!;
      worst = Math.max(worst, relativeError(expected.data, actual.data));
      first ??= actual;
      equal &&= bitEqual(first, actual);
    }
  }
  process.stdout.write(
    `${network.name}: largest difference ${worst.toExponential(1)} of the range; bits ${equal ? 'equal' : 'DIFFER'} on every instruction set\n`,
  );
  return worst <= tolerance && equal;
}

for (const network of [...networks, ...unfolded]) {
  await network.prepare?.();
  if (!(await stat(network.file).catch(() => undefined))) {
    process.stdout.write(`${network.name}: ${network.file} is not here, left out\n`);
  } else if (!(await compare(network))) process.exitCode = 1;
}
