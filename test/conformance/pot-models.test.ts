// IRs that the real POT and NNCF quantized: what they quantize is computed in integers, layer by layer within one step of
// what their quantizers say, and over the whole network as near to the same model in doubles as a simulation in FP32.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import {
  activationQuantizers,
  type Distances,
  inSinglePrecision,
  measurable,
  measureFidelity,
} from '../../bench/fidelity/distances.ts';
import { photographFeeds } from '../../bench/fidelity/inputs.ts';
import { describeExecution, multiplyAccumulates } from '../../lib/engines/describe.ts';
import { compileNative } from '../../lib/engines/native-engine.ts';
import { openModel } from '../../lib/formats/index.ts';
import { inputName, type Model } from '../../lib/graph/model.ts';
import { convert } from '../../lib/tensor/convert.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { cutAtQuantizers, differenceInSteps } from '../support/cut-at-quantizers.ts';
import { sharedFolder } from '../support/shared-folder.ts';

const { path: irs, skip } = sharedFolder('irs');
const { path: data, skip: noData } = sharedFolder('data');

interface Entry {
  readonly file: string;
  /** Share of all products that run in integers at least; the rest is left in floats by the file itself. */
  readonly share: number;
  /** Compare values: models whose activations fit into the time and memory of a test. */
  readonly compare?: boolean;
  /** Of inputs whose batch is free. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /** Photographs for which outputs are compared with doubles, which take seconds for each billion products. */
  readonly photographs?: number;
}

const intel = 'VictorHidalgoUCLM__NeuralComputeStick2/intel';
const entries: readonly Entry[] = [
  {
    file: 'Dewalade1__computer-pointer-controller/intel/landmarks-regression-retail-0009/FP16-INT8/landmarks-regression-retail-0009.xml',
    share: 1,
    compare: true,
    photographs: 2,
  },
  {
    file: `${intel}/face-detection-retail-0004/FP16-INT8/face-detection-retail-0004.xml`,
    share: 1,
    compare: true,
  },
  {
    file: `${intel}/license-plate-recognition-barrier-0001/FP16-INT8/license-plate-recognition-barrier-0001.xml`,
    share: 0.96,
    compare: true,
    photographs: 2,
  },
  { file: `${intel}/single-image-super-resolution-1033/FP16-INT8/single-image-super-resolution-1033.xml`, share: 1 },
  {
    file: `${intel}/text-image-super-resolution-0001/FP16-INT8/text-image-super-resolution-0001.xml`,
    share: 0.56,
    compare: true,
  },
  {
    file: `${intel}/vehicle-attributes-recognition-barrier-0039/FP16-INT8/vehicle-attributes-recognition-barrier-0039.xml`,
    share: 1,
    compare: true,
    photographs: 2,
  },
  {
    file: 'denilgabani__Computer-Pointer-Controller/models/intel/gaze-estimation-adas-0002/FP16-INT8/gaze-estimation-adas-0002.xml',
    share: 0.997,
    compare: true,
    photographs: 2,
  },
  {
    file: 'gorkemgul__openvino-quantization/optimized_model/person-detection-retail-0013_mixed_DefaultQuantization.xml',
    share: 0.998,
    compare: true,
  },
  {
    file: 'inbasperu__VisionGuard/models/intel/face-detection-adas-0001/FP16-INT8/face-detection-adas-0001.xml',
    share: 1,
    compare: true,
  },
  {
    file: 'inbasperu__VisionGuard/models/intel/head-pose-estimation-adas-0001/FP16-INT8/head-pose-estimation-adas-0001.xml',
    share: 0.5,
    compare: true,
    photographs: 2,
  },
  {
    file: 'lsdace30095__cmrpack23/intel/person-vehicle-bike-detection-2003/FP16-INT8/person-vehicle-bike-detection-2003.xml',
    share: 1,
  },
  {
    file: 'lsdace30095__cmrpack23/intel/person-vehicle-bike-detection-crossroad-0078/FP16-INT8/person-vehicle-bike-detection-crossroad-0078.xml',
    share: 1,
  },
  { file: 'quanglets1fvr__onnx2code/mobilenet_v2_int8.xml', share: 1, compare: true },
  {
    // Frames are shifted by scatters whose data and updates have different scales.
    file: 'ikpeli__mobilenetv3-tsm-legacy-cpu-surveillance/model_int8.xml',
    share: 1,
    shapes: { clip: [1, 8, 3, 160, 160] },
  },
];

/** Reasons for which a product is not one that the file quantizes. */
const leftInFloats = /quantizes neither/;

for (const { file, share, compare, shapes = {} } of entries) {
  test(`${path.basename(file)}: products in integers`, { skip }, async () => {
    const model = await openModel(path.join(irs, file));
    await using executable = await compileNative(model, { threads: 1, shapes });
    const nodes = describeExecution(executable);
    const { total, int8 } = multiplyAccumulates(nodes);
    assert.ok(int8 >= share * total, `${int8} of ${total} multiply-accumulates`);
    const quantized = multiplyAccumulates(nodes.filter((n) => !leftInFloats.test(n.reason ?? '')));
    assert.ok(quantized.int8 >= 0.95 * quantized.total, `${quantized.int8} of ${quantized.total} that are quantized`);
    for (const n of nodes) if (n.multiplyAccumulates && n.precision !== 'INT8') assert.ok(n.reason, n.name);
  });
  if (!compare) continue;
  test(`${path.basename(file)}: every layer within a step of its simulation`, { skip }, async () => {
    const model = await openModel(path.join(irs, file));
    const quantizers = activationQuantizers(model);
    assert.ok(quantizers.length > 0);
    const taps = quantizers.map((n) => n.output);
    await using simulated = await compileNative(model, { threads: 2, simulate: true, taps });
    const values = (await simulated.run(feedsOf(model))).taps;
    const feeds = { ...feedsOf(model), ...cutAtQuantizers(model, quantizers, values) };
    await using integers = await compileNative(model, { threads: 2 });
    const { outputs } = await integers.run(feeds);
    let moved = 0;
    let count = 0;
    for (const [i, node] of quantizers.entries()) {
      const steps = differenceInSteps(node, outputs[`after ${i}`]!, values[i]!);
      const sorted = steps.toSorted();
      const usual = sorted[Math.ceil(0.999 * sorted.length) - 1]!;
      assert.ok(usual <= 1, `${node.name}: one value of a thousand is ${usual} steps away`);
      assert.ok(sorted.at(-1)! <= 2, `${node.name}: a value is ${sorted.at(-1)} steps away`);
      moved += steps.reduce((m, v) => m + (v > 0 ? 1 : 0), 0);
      count += steps.length;
    }
    // Ties, which sums in floats decide in either way.
    assert.ok(moved <= 0.002 * count, `${moved} of ${count} values are a step away`);
  });
}

for (const { file, photographs } of entries) {
  if (photographs === undefined) continue;
  const name = `${path.basename(file)}: outputs as near to doubles as those of its simulation`;
  test(name, { skip: skip || noData }, async (t) => {
    const source = await openModel(path.join(irs, file));
    const inputs: Record<string, Tensor>[] = [];
    for (let i = 0; i < photographs; i++) inputs.push(inSinglePrecision(await photographFeeds(source, data, i)));
    const { quantizers, outputs } = await measureFidelity(measurable(source), inputs, { threads: 2, neighbours: 2 });
    const floor = floorOf(quantizers, 'moved');
    const share = quantizers.int8.moved;
    t.diagnostic(`behind quantizers ${share} are moved, ${floor} in floats`);
    assert.ok(share <= Math.max(0.001, 2 * floor), `${share} of the values are moved, ${floor} in floats`);
    for (const [output, distances] of outputs) {
      const { usual } = distances.int8;
      const steps = floorOf(distances, 'usual');
      t.diagnostic(`${output}: ${usual} steps, ${steps} in floats`);
      assert.ok(usual <= Math.max(1, 2 * steps), `${output}: ${usual} steps from doubles, in floats ${steps}`);
    }
  });
}

/**
 * The largest distance that floats keep from doubles: of the simulation, and of simulations whose constants are moved by
 * a unit in the last place. INT8 may have twice as much, or one step, whichever is more: which ties a run decides
 * otherwise is chance, and one of them at the beginning counts as much as many at the end.
 */
function floorOf({ simulated, moved }: Distances, what: 'moved' | 'usual'): number {
  return Math.max(simulated[what], ...moved.map((d) => d[what]));
}

/** A picture of waves and noise with values of 0 to 255, or numbers of 0 to 1 for small inputs. */
function feedsOf(model: Model): Record<string, Tensor> {
  const { next } = random(5);
  return Object.fromEntries(
    model
      .parameters()
      .filter((p) => !p.name.startsWith('before '))
      .map((p) => {
        const { shape, type } = p.output.fact;
        const width = shape.at(-1)!;
        const isImage = shape.length === 4;
        const data = Float32Array.from({ length: elementCount(shape) }, (_, i) =>
          isImage ? 127 + 90 * Math.sin((i % width) / 11 + Math.floor(i / width) / 17) + 40 * (next() - 0.5) : next(),
        );
        return [inputName(p), convert(tensor('f32', shape, data), type)];
      }),
  );
}
