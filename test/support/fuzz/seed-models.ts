// Small sound models that fuzzers damage: one for every case of every operation, a few networks, and the ONNX node tests.
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { LowpError } from '../../../lib/errors/lowp-error.ts';
import { writeIr } from '../../../lib/formats/ir/write.ts';
import { writeOnnx } from '../../../lib/formats/onnx/write.ts';
import type { Model } from '../../../lib/graph/model.ts';
import { opCases } from '../../conformance/cases/index.ts';
import { modelOfCase } from '../../conformance/cases/op-case.ts';
import { buildNetwork, networkPlans } from '../random-network.ts';
import { sharedFolder } from '../shared-folder.ts';
import { readTarGz } from '../tar.ts';

/** An IR as its two files. */
export interface IrSeed {
  readonly name: string;
  readonly xml: string;
  readonly bin: Uint8Array;
}

/** An ONNX file. */
export interface OnnxSeed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Longest seed, so that a case takes about a millisecond. */
const mostBytes = 65536;

function models(): Model[] {
  const networks = fc.sample(networkPlans(8), { seed: 3, numRuns: 20 });
  return [
    ...opCases.map((c) => modelOfCase(c).model),
    ...networks.map((plan, i) => buildNetwork(plan, { quantizers: i % 2 === 0 })),
  ];
}

export function irSeeds(): IrSeed[] {
  return models()
    .map((model) => {
      const { xml, bin } = writeIr(model);
      return { name: model.name, xml: typeof xml === 'string' ? xml : new TextDecoder().decode(xml), bin };
    })
    .filter((seed) => seed.xml.length < mostBytes);
}

/** Models that ONNX can hold; with the node tests of the ONNX project where `../shared` has them. */
export function onnxSeeds(): OnnxSeed[] {
  const seeds: OnnxSeed[] = [];
  for (const model of models()) {
    try {
      seeds.push({ name: model.name, bytes: writeOnnx(model) });
    } catch (error) {
      if (!(error instanceof LowpError)) throw error;
    }
  }
  const archive = `${sharedFolder('data/onnx-node-tests').path}/onnx-v1.21.0-node-tests.tar.gz`;
  if (existsSync(archive)) {
    for (const [name, bytes] of readTarGz(archive)) if (name.endsWith('model.onnx')) seeds.push({ name, bytes });
  }
  return seeds.filter((seed) => seed.bytes.length < mostBytes);
}
