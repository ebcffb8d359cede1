// A network that OpenVINO POT quantized, beside its original: which convolutions were aligned, and how.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { alignablePairs } from '../../../lib/algorithms/activation-channel-alignment/pairs.ts';
import { openModel } from '../../../lib/formats/index.ts';
import type { Model } from '../../../lib/graph/model.ts';
import type { Node } from '../../../lib/graph/node.ts';
import { evaluatePort } from '../../../lib/lowering/int8/weights.ts';
import { prepareForQuantization } from '../../../lib/passes/index.ts';
import { toFloat64 } from '../../../lib/tensor/convert.ts';
import { elementCount } from '../../../lib/tensor/shape.ts';
import { sharedFolder } from '../../support/shared-folder.ts';

const irs = sharedFolder('irs');
const folder = path.join(irs.path, 'lsdace30095__cmrpack23/intel/person-vehicle-bike-detection-2003');

function convolutions(model: Model): Node[] {
  return model.nodes().filter((n) => n.type === 'Convolution');
}

/**
 * The convolution of another file that is this one: of the same name, or, as converters give fused ones new names, at the
 * same place among those of its shape that have no namesake.
 */
function twins(originals: readonly Node[], others: readonly Node[]): Map<Node, Node> {
  const byName = new Map(others.map((n) => [n.name, n]));
  const names = new Set(originals.map((n) => n.name));
  const shapeOf = (node: Node): string => String(node.source(1)!.fact.shape);
  const unnamed = others.filter((n) => !names.has(n.name));
  const taken = new Set<Node>();
  return new Map(
    originals.map((node) => {
      const twin = byName.get(node.name) ?? unnamed.find((n) => !taken.has(n) && shapeOf(n) === shapeOf(node));
      assert.ok(twin, `${node.name} has no twin`);
      taken.add(twin);
      return [node, twin];
    }),
  );
}

function weightsOf(node: Node): Float64Array {
  return toFloat64(evaluatePort(node.source(1)!));
}

/** Of each channel on an axis the factor that takes `a` nearest to `b`. */
function factors(a: Float64Array, b: Float64Array, channelOf: (i: number) => number, channels: number): Float64Array {
  const [product, square] = [new Float64Array(channels), new Float64Array(channels)];
  for (let i = 0; i < a.length; i++) {
    product[channelOf(i)]! += a[i]! * b[i]!;
    square[channelOf(i)]! += a[i]! ** 2;
  }
  return product.map((v, c) => v / square[c]!);
}

/** √(Σ (a − b)² / Σ a²) */
function distance(a: Float64Array, b: Float64Array): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    error += (a[i]! - b[i]!) ** 2;
    size += a[i]! ** 2;
  }
  return Math.sqrt(error / size);
}

describe('channel alignment beside POT', { skip: irs.skip }, () => {
  it('takes the same convolutions, and scales both of a pair by reciprocal factors around 1', async () => {
    const original = await openModel(path.join(folder, 'FP16/person-vehicle-bike-detection-2003.xml'));
    prepareForQuantization(original);
    const quantized = await openModel(path.join(folder, 'FP16-INT8/person-vehicle-bike-detection-2003.xml'));
    const originals = convolutions(original);
    const twinOf = twins(originals, convolutions(quantized));
    const pairs = alignablePairs(original);
    assert.equal(pairs.length, 2);
    const changed = originals.filter((n) => distance(weightsOf(n), weightsOf(twinOf.get(n)!)) > 0.05);
    const expected = originals.filter((n) => pairs.some((p) => p.producer === n || p.consumer === n));
    assert.deepEqual(
      changed.map((n) => n.name),
      expected.map((n) => n.name),
    );
    for (const { producer, consumer, channels } of pairs) {
      const inner = elementCount(producer.source(1)!.fact.shape.slice(1));
      const taps = elementCount(consumer.source(1)!.fact.shape.slice(2));
      const first = factors(
        weightsOf(producer),
        weightsOf(twinOf.get(producer)!),
        (i) => Math.floor(i / inner),
        channels,
      );
      const column = (i: number): number => Math.floor(i / taps) % channels;
      const second = factors(weightsOf(consumer), weightsOf(twinOf.get(consumer)!), column, channels);
      for (const [c, f] of second.entries()) assert.ok(Math.abs(f * first[c]! - 1) < 0.05, `${c}: ${f} ${first[c]}`);
      const middle = second.slice().sort()[Math.floor(channels / 2)]!;
      assert.ok(Math.abs(middle - 1) < 0.05, `${middle}`);
    }
  });
});
