import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { LowpError } from '../../lib/errors/lowp-error.ts';
import { readIr } from '../../lib/formats/ir/read.ts';
import type { Model } from '../../lib/graph/model.ts';
import { prepareForQuantization } from '../../lib/passes/index.ts';
import { findIgnored } from '../../lib/quantization/ignored-scope.ts';
import { placeQuantizers } from '../../lib/quantization/propagate.ts';
import { isQuantizer, rolesFor } from '../../lib/quantization/roles.ts';
import { targetOf } from '../../lib/targets/index.ts';
import { sharedFolder } from '../support/shared-folder.ts';

const { path: folder, skip } = sharedFolder('irs');

/**
 * Models that POT quantized without reverting layers afterwards, and the operations that may differ: transposed
 * convolutions, which POT of that time left in floating point.
 */
const pairs: readonly (readonly [quantized: string, original: string, excluded?: readonly string[]])[] = [
  [
    'Dewalade1__computer-pointer-controller/intel/landmarks-regression-retail-0009/FP16-INT8/landmarks-regression-retail-0009',
    'Dewalade1__computer-pointer-controller/intel/landmarks-regression-retail-0009/FP32/landmarks-regression-retail-0009',
  ],
  ['LBQ-0829__Openvino-nncf-quantize/weights/Y52_8x1x160x160_int8', 'LBQ-0829__Openvino-nncf-quantize/dynamic_qp52'],
  ...[
    'face-detection-retail-0004',
    'single-image-super-resolution-1033',
    'vehicle-attributes-recognition-barrier-0039',
  ].map((name) => {
    const intel = 'VictorHidalgoUCLM__NeuralComputeStick2/intel';
    return [`${intel}/${name}/FP16-INT8/${name}`, `${intel}/${name}/FP32/${name}`] as const;
  }),
  [
    'VictorHidalgoUCLM__NeuralComputeStick2/intel/text-image-super-resolution-0001/FP16-INT8/text-image-super-resolution-0001',
    'VictorHidalgoUCLM__NeuralComputeStick2/intel/text-image-super-resolution-0001/FP32/text-image-super-resolution-0001',
    ['ConvolutionBackpropData'],
  ],
  [
    'gorkemgul__openvino-quantization/optimized_model/person-detection-retail-0013_mixed_DefaultQuantization',
    'gorkemgul__openvino-quantization/intel/person-detection-retail-0013/FP32/person-detection-retail-0013',
  ],
  [
    'lsdace30095__cmrpack23/intel/person-vehicle-bike-detection-crossroad-0078/FP16-INT8/person-vehicle-bike-detection-crossroad-0078',
    'lsdace30095__cmrpack23/intel/person-vehicle-bike-detection-crossroad-0078/FP16/person-vehicle-bike-detection-crossroad-0078',
  ],
];

function read(name: string): Model {
  const xml = path.join(folder, `${name}.xml`);
  const bin = path.join(folder, `${name}.bin`);
  return readIr(readFileSync(xml), existsSync(bin) ? readFileSync(bin) : undefined, { path: xml });
}

/** Consumers of quantizers on values that depend on an input: `type:name#port`. */
function sites(model: Model): string[] {
  const fed = new Set(model.parameters());
  for (const node of model.nodes()) if (node.inputs.some((i) => i.source && fed.has(i.source.node))) fed.add(node);
  const quantizers = model.nodes().filter((n) => isQuantizer(n) && fed.has(n));
  return quantizers
    .flatMap((q) => [...q.output.consumers].map((c) => `${c.node.type}:${c.node.name}#${c.index}`))
    .sort();
}

describe('placement agrees with real quantized models', { skip }, () => {
  for (const [quantized, original, excluded = []] of pairs) {
    it(path.basename(quantized), (t) => {
      try {
        const model = read(original);
        prepareForQuantization(model);
        const roles = rolesFor(targetOf('CPU'));
        placeQuantizers(model, roles, findIgnored(model, roles, { scope: { types: excluded } }));
        assert.deepEqual(sites(model), sites(read(quantized)));
      } catch (error) {
        if (!(error instanceof LowpError) || error.code !== 'ERR_OP_UNKNOWN') throw error;
        t.skip(error.message);
      }
    });
  }
});
