// The check of native operations: everything in kernels, and the values of the reference.
import assert from 'node:assert/strict';
import { compileNative } from '../../lib/engines/native-engine.ts';
import type { Model } from '../../lib/graph/model.ts';
import { maxAbsError } from '../../lib/tensor/compare.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';
import { runnableIsas } from './isas.ts';
import { evaluate } from './model-builder.ts';

/** A tensor of normally distributed numbers. */
export function uneven(shape: Shape, seed: number): Tensor {
  const { normal } = random(seed);
  return tensor('f32', shape, Array.from({ length: elementCount(shape) }, normal));
}

/**
 * Everything runs in kernels, on each instruction set and on one and two threads, and elements are at most `tolerance`
 * away from the reference's. Results are equal bit for bit wherever they are computed.
 */
export async function expectNative(
  model: Model,
  feeds: Readonly<Record<string, Tensor>>,
  tolerance: number,
): Promise<void> {
  const expected = await evaluate(model, feeds);
  let first: Readonly<Record<string, Tensor>> | undefined;
  for (const maxIsa of runnableIsas()) {
    for (const threads of [1, 2]) {
      await using executable = await compileNative(model, { maxIsa, threads });
      assert.deepEqual(
        executable.steps.flatMap((s) => (s.kind === 'host' ? [`${s.node.type}: ${s.reason}`] : [])),
        [],
      );
      const { outputs } = await executable.run(feeds);
      for (const [name, value] of Object.entries(expected)) {
        const result = outputs[name]!;
        assert.deepEqual([result.type, result.shape], [value.type, value.shape], name);
        if (tolerance === 0) assert.deepEqual(result.data, value.data, name);
        else assert.ok(maxAbsError(result, value) <= tolerance, `${name}: ${maxAbsError(result, value)}`);
        if (first) assert.deepEqual(result.data, first[name]!.data, `${name} on ${maxIsa} with ${threads} threads`);
      }
      first ??= outputs;
    }
  }
}
