// Random data of the inputs' shapes: for benchmarks and dry runs, never for calibration.
import { LowpError } from '../errors/lowp-error.ts';
import { allocate } from '../tensor/element-type.ts';
import { elementCount, formatShape, isStatic } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { random } from '../util/random.ts';
import type { Dataset, InputInfo } from './dataset.ts';

/**
 * `length` samples: floats uniform in [0, 1), integers 0 or 1, the same for the same seed; a free batch is 1.
 *
 * @throws {LowpError} `ERR_SHAPE_DYNAMIC`
 */
export function syntheticData(inputs: readonly InputInfo[], length: number, seed = 0): Dataset {
  const single = inputs.map((input) => ({ ...input, shape: input.shape.map((d, i) => (i === 0 && d === -1 ? 1 : d)) }));
  return {
    name: 'random',
    length,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < length; i++) {
        yield {
          id: `random[${i}]`,
          inputs: Object.fromEntries(single.map((input, k) => [input.name, randomTensor(input, seed + i * 31 + k)])),
        };
      }
    },
  };
}

/** One random tensor for an input. */
export function randomTensor(input: InputInfo, seed: number): Tensor {
  if (!isStatic(input.shape)) {
    throw new LowpError(
      'ERR_SHAPE_DYNAMIC',
      `input '${input.name}' has the dynamic shape ${formatShape(input.shape)}`,
      {
        help: 'Random data needs a shape; give real data instead.',
      },
    );
  }
  if (input.type === 'string') {
    throw new LowpError('ERR_DATA_TYPE', `input '${input.name}' takes strings, there are no random ones`);
  }
  const r = random(seed);
  const data = allocate(input.type, elementCount(input.shape));
  const isFloat = data instanceof Float32Array || data instanceof Float64Array;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    for (let i = 0; i < data.length; i++) data[i] = BigInt(r.int(0, 2));
  else for (let i = 0; i < data.length; i++) data[i] = isFloat ? r.next() : r.int(0, 2);
  return { type: input.type, shape: input.shape, data };
}
