// What the benchmarks use of onnxruntime-node, which lives in bench/peers.
import { createRequire } from 'node:module';
import path from 'node:path';

interface OrtTensor {
  readonly data: Float32Array;
}

/** The part of the package's interface that is used here. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(
      model: string | Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object, fetches?: object): Promise<Readonly<Record<string, OrtTensor>>> }>;
  };
  readonly Tensor: new (
    type: 'float32' | 'uint8',
    data: Float32Array | Uint8Array,
    dims: readonly number[],
  ) => OrtTensor;
}

/** Loads the package; the working directory is the root of the project. */
export function loadOnnxRuntime(): OnnxRuntime {
  const require = createRequire(path.resolve('bench/peers/package.json'));
  return require('onnxruntime-node') as OnnxRuntime;
}
