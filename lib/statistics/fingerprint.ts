// Short names for the content of models and samples.
import { createHash, type Hash } from 'node:crypto';
import type { Feeds } from '../engines/engine.ts';
import type { Model } from '../graph/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { sampleOf } from './batches.ts';
import { addFingerprints, noData } from './collected.ts';

/**
 * 128 bits of SHA-256, in hexadecimal, over the operations of a model in order, their names, attributes, connections, types
 * and shapes, and the values of constants. The text that a file format keeps beside does not count.
 */
export function modelFingerprint(model: Model): string {
  const hash = createHash('sha256');
  const nodes = model.nodes();
  const index = new Map(nodes.map((node, i) => [node, i]));
  for (const node of nodes) {
    const inputs = node.inputs.map(({ source }) => source && [index.get(source.node), source.index]);
    const outputs = node.outputs.map(({ fact }) => [fact.type, fact.shape]);
    const { value, ...attributes } = node.attributes;
    const constant = isTensor(value) ? value : undefined;
    const kept = constant ? attributes : node.attributes;
    hash.update(`${JSON.stringify([node.name, node.type, sorted(kept), inputs, outputs], plain)}\n`);
    if (constant) addTensor(hash, constant);
  }
  return hash.digest('hex').slice(0, noData.length);
}

/** Fingerprint of samples in any order: the sum of the fingerprints of each one. */
export class DataFingerprint {
  private sum = noData;

  /** Adds the samples of a batch, which lie along axis 0 of every input when it holds `size` of them. */
  add(feeds: Feeds, samples: number, size: number): void {
    for (let i = 0; i < samples; i++) {
      const hash = createHash('sha256');
      for (const name of Object.keys(feeds).sort()) {
        hash.update(`${JSON.stringify(name)}\n`);
        addTensor(hash, size > 1 ? sampleOf(feeds[name]!, i) : feeds[name]!);
      }
      this.sum = addFingerprints(this.sum, hash.digest('hex').slice(0, noData.length));
    }
  }

  digest(): string {
    return this.sum;
  }
}

function addTensor(hash: Hash, { type, shape, data }: Tensor): void {
  hash.update(`${type} ${JSON.stringify(shape)}\n`);
  hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'data' in value && ArrayBuffer.isView(value.data);
}

function sorted(attributes: Readonly<Record<string, unknown>>): unknown {
  return Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What JSON has no form for. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  return value;
}
