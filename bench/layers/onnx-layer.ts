// A layer as an ONNX model of one operation, for ONNX Runtime.
import { create, toBinary } from '@bufbuild/protobuf';
import { type AttributeValue, nodeProto, tensorProto, valueInfo } from '../../lib/formats/onnx/build.ts';
import { ModelProtoSchema, type NodeProto, type TensorProto } from '../../lib/formats/onnx/onnx_pb.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { type Random, random } from '../../lib/util/random.ts';
import type { Convolution, Layer, LayerType, MatrixProduct } from './lists.ts';

export interface OnnxLayer {
  readonly bytes: Uint8Array;
  /** The input is `x`, the output `y`. */
  readonly x: Tensor;
  readonly yShape: readonly number[];
}

const contrib = 'com.microsoft';

/**
 * Floats: Conv or Gemm and Relu, channels first. Bytes: QLinearConv with channels last, or QGemm, both of ONNX Runtime's
 * own operator set, which its optimizer puts into networks; one scale per output channel, i32 bias, zero point 0, which
 * is a ReLU.
 */
export function onnxLayer(layer: Layer, type: LayerType): OnnxLayer {
  const parts = new Parts(layer, type);
  return layer.kind === 'gemm' ? product(parts, layer) : convolution(parts, layer);
}

/** The least that a session can be asked to do: what a call costs. */
export function onnxNothing(): OnnxLayer {
  const x = tensor('f32', [1], new Float32Array(1));
  return assemble([nodeProto('Relu', ['x'], ['y'])], [], x, [1]);
}

/** Operands of a layer with made-up values. */
class Parts {
  readonly initializers: TensorProto[] = [];
  readonly integer: boolean;
  private readonly trained: boolean;
  private readonly random: Random = random(1);
  private readonly mostWeight: number;
  readonly depth: number;

  constructor(layer: Layer, type: LayerType) {
    this.integer = type !== 'f32';
    this.trained = type === 'trained';
    this.mostWeight = type === 'u8s7' ? 64 : 127;
    this.depth = layer.kind === 'gemm' ? layer.k : (layer.ic / layer.groups) * layer.kernel.reduce((a, b) => a * b, 1);
  }

  /** Adds an initializer and returns its name. */
  add(name: string, t: Tensor): string {
    this.initializers.push(tensorProto(name, t));
    return name;
  }

  x(shape: readonly number[]): Tensor {
    const length = shape.reduce((a, b) => a * b, 1);
    if (this.integer)
      return tensor(
        'u8',
        shape,
        Uint8Array.from({ length }, () => this.random.int(0, 256)),
      );
    return tensor(
      'f32',
      shape,
      Float32Array.from({ length }, () => this.random.normal()),
    );
  }

  weights(shape: readonly number[]): string {
    const length = shape.reduce((a, b) => a * b, 1);
    const most = this.mostWeight;
    if (this.trained) {
      // 127 is four standard deviations, as the largest of some ten thousand weights is.
      const weight = (): number => Math.max(-127, Math.min(127, Math.round((127 / 4) * this.random.normal())));
      return this.add('w', tensor('i8', shape, Int8Array.from({ length }, weight)));
    }
    if (this.integer) {
      return this.add(
        'w',
        tensor(
          'i8',
          shape,
          Int8Array.from({ length }, () => this.random.int(-most, most + 1)),
        ),
      );
    }
    const size = 1 / Math.sqrt(this.depth);
    return this.add(
      'w',
      tensor(
        'f32',
        shape,
        Float32Array.from({ length }, () => size * this.random.normal()),
      ),
    );
  }

  /** The inputs of QLinearConv between x and the bias: weights last but for the output's scale. */
  quantization(channels: number): { readonly x: string[]; readonly w: string[]; readonly y: string[] } {
    const step = 60 / (Math.sqrt(this.depth) * 85 * this.mostWeight);
    const scales = Float32Array.from({ length: channels }, (_, i) => step * (1 + 0.01 * (i % 32)));
    this.add('one', tensor('f32', [], Float32Array.of(1)));
    this.add('zero', tensor('u8', [], Uint8Array.of(0)));
    this.add('w_scale', tensor('f32', [channels], scales));
    this.add('w_zero', tensor('i8', [channels], new Int8Array(channels)));
    return { x: ['one', 'zero'], w: ['w_scale', 'w_zero'], y: ['one', 'zero'] };
  }

  bias(channels: number): string {
    if (this.integer) return this.add('b', tensor('i32', [channels], new Int32Array(channels).fill(100)));
    return this.add('b', tensor('f32', [channels], new Float32Array(channels).fill(0.1)));
  }
}

function convolution(p: Parts, l: Convolution): OnnxLayer {
  const volume = l.in[0] > 1 || l.kernel[0] > 1;
  const space = (s: readonly number[]): readonly number[] => (volume ? s : s.slice(1));
  const ints = (s: readonly number[]): bigint[] => space(s).map(BigInt);
  const shaped = (channels: number, s: readonly number[]): number[] =>
    p.integer ? [l.batch, ...space(s), channels] : [l.batch, channels, ...space(s)];
  const behind = l.out.map((out, i) => Math.max(0, (out - 1) * l.stride[i]! + l.kernel[i]! - l.in[i]! - l.pad[i]!));
  const attributes: Record<string, AttributeValue> = {
    kernel_shape: ints(l.kernel),
    strides: ints(l.stride),
    pads: [...ints(l.pad), ...ints(behind)],
    group: BigInt(l.groups),
  };
  const x = p.x(shaped(l.ic, l.in));
  const w = p.weights([l.oc, l.ic / l.groups, ...space(l.kernel)]);
  const yShape = shaped(l.oc, l.out);
  if (!p.integer) {
    const nodes = [nodeProto('Conv', ['x', w, p.bias(l.oc)], ['c'], attributes), nodeProto('Relu', ['c'], ['y'])];
    return assemble(nodes, p.initializers, x, yShape);
  }
  const q = p.quantization(l.oc);
  const inputs = ['x', ...q.x, w, ...q.w, ...q.y, p.bias(l.oc)];
  const node = nodeProto('QLinearConv', inputs, ['y'], { ...attributes, channels_last: 1n });
  node.domain = contrib;
  return assemble([node], p.initializers, x, yShape);
}

function product(p: Parts, l: MatrixProduct): OnnxLayer {
  const x = p.x([l.m, l.k]);
  const w = p.weights([l.k, l.n]);
  if (!p.integer) {
    const nodes = [nodeProto('Gemm', ['x', w, p.bias(l.n)], ['c']), nodeProto('Relu', ['c'], ['y'])];
    return assemble(nodes, p.initializers, x, [l.m, l.n]);
  }
  const q = p.quantization(l.n);
  const node = nodeProto('QGemm', ['x', ...q.x, w, ...q.w, p.bias(l.n), ...q.y], ['y']);
  node.domain = contrib;
  return assemble([node], p.initializers, x, [l.m, l.n]);
}

function assemble(
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[],
  x: Tensor,
  yShape: readonly number[],
): OnnxLayer {
  const graph = {
    name: 'layer',
    node: [...nodes],
    initializer: [...initializers],
    input: [valueInfo('x', x.type, x.shape)],
    output: [valueInfo('y', x.type, yShape)],
  };
  const opsetImport = [
    { domain: '', version: 17n },
    { domain: contrib, version: 1n },
  ];
  const model = create(ModelProtoSchema, { irVersion: 8n, producerName: 'lowp', opsetImport, graph });
  return { bytes: toBinary(ModelProtoSchema, model), x, yShape };
}
