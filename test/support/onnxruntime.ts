// ONNX Runtime, a second opinion on ONNX models; it is installed with the benchmarks only.
import { createRequire } from 'node:module';
import path from 'node:path';
import { allocate } from '../../lib/tensor/element-type.ts';
import { toStrings } from '../../lib/tensor/strings.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { repositoryRoot } from './shared-folder.ts';

interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Tensor['data'];
}

/** Settings of ONNX Runtime; without optimizations it computes pairs of quantizers in floats, as they are defined. */
export interface SessionOptions {
  readonly graphOptimizationLevel?: 'disabled' | 'all';
  /** 3: errors only. */
  readonly logSeverityLevel?: number;
}

interface Ort {
  readonly Tensor: new (type: string, data: Tensor['data'] | readonly string[], dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options?: SessionOptions,
    ): Promise<{ run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>> }>;
  };
}

const types: Readonly<Record<string, Tensor['type']>> = {
  float32: 'f32',
  float64: 'f64',
  float16: 'f16',
  int64: 'i64',
  int32: 'i32',
  uint64: 'u64',
  uint32: 'u32',
  int16: 'i16',
  uint16: 'u16',
  uint8: 'u8',
  int8: 'i8',
  bool: 'boolean',
  string: 'string',
};

function load(): Ort | undefined {
  try {
    return createRequire(path.join(repositoryRoot(), 'bench/peers/package.json'))('onnxruntime-node') as Ort;
  } catch {
    return undefined;
  }
}

const ort = load();

/** Why a test that needs ONNX Runtime cannot run. */
export const withoutOnnxRuntime: string | false = ort ? false : 'bench/peers is not installed';

function elementsOf(t: Tensor): Tensor['data'] | readonly string[] {
  return t.type === 'string' ? toStrings(t) : t.data;
}

/** The outputs of a model by ONNX Runtime. */
export async function runOnnxRuntime(
  model: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  options: SessionOptions = {},
): Promise<Record<string, Tensor>> {
  const session = await ort!.InferenceSession.create(model, { logSeverityLevel: 3, ...options });
  const names = new Map(Object.entries(types).map(([name, type]) => [type, name]));
  const given = Object.entries(feeds).map(([name, t]) => [
    name,
    new ort!.Tensor(names.get(t.type)!, elementsOf(t), t.shape),
  ]);
  const outputs = await session.run(Object.fromEntries(given) as Record<string, OrtTensor>);
  return Object.fromEntries(
    Object.entries(outputs).map(([name, t]) => {
      const type = types[t.type]!;
      if (type === 'string') return [name, tensor(type, t.dims, Array.from<unknown>(t.data).map(String))];
      const data = allocate(type, t.data.length);
      data.set(t.data as never);
      return [name, tensor(type, t.dims, data)];
    }),
  );
}
