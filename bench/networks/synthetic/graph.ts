// A few words for building networks with seeded random weights.
import type { OutputPort } from '../../../lib/graph/node.ts';
import { Model } from '../../../lib/index.ts';
import { createNode } from '../../../lib/ops/index.ts';
import { type Tensor, tensor } from '../../../lib/tensor/tensor.ts';
import { type Random, random } from '../../../lib/util/random.ts';

export interface ConvolutionShape {
  readonly out: number;
  readonly kernel: number;
  readonly stride?: number;
  /** One group for each channel. */
  readonly depthwise?: boolean;
  /** Factor on the weights; 1 keeps the variance of the input behind a ReLU. */
  readonly gain?: number;
}

/** Builds one model; every value that it returns is the output of the node that it added. */
export class Graph {
  readonly model: Model;
  private readonly weights: Random;
  private count = 0;

  constructor(name: string) {
    this.model = new Model(name);
    this.weights = random(50);
  }

  input(name: string, shape: readonly number[]): OutputPort {
    return this.add('Parameter', [], { shape, element_type: 'f32' }, name);
  }

  output(source: OutputPort, name: string): void {
    source.names = [name];
    this.add('Result', [source], {}, name);
  }

  add(
    type: string,
    inputs: readonly OutputPort[],
    attributes: Readonly<Record<string, unknown>> = {},
    name = `${type}_${this.count++}`,
  ): OutputPort {
    const node = createNode(this.model, { type, name, attributes, inputs });
    return node.outputs[0] ?? inputs[0]!;
  }

  constant(value: Tensor): OutputPort {
    return this.add('Constant', [], { value });
  }

  number(value: number): OutputPort {
    return this.constant(tensor('f32', [], Float32Array.of(value)));
  }

  integers(...values: number[]): OutputPort {
    return this.constant(tensor('i64', [values.length], BigInt64Array.from(values, BigInt)));
  }

  /** Normally distributed values. */
  normal(shape: readonly number[], deviation: number, mean = 0): OutputPort {
    const count = shape.reduce((a, b) => a * b, 1);
    return this.constant(
      tensor(
        'f32',
        shape,
        Float32Array.from({ length: count }, () => mean + deviation * this.weights.normal()),
      ),
    );
  }

  /** Convolution with "same" padding (kernel / 2 on every side) and a bias. */
  convolution(x: OutputPort, shape: ConvolutionShape): OutputPort {
    const { out, kernel, stride = 1, depthwise = false, gain = 1 } = shape;
    const channels = depthwise ? 1 : x.fact.shape[1]!;
    const deviation = gain * Math.sqrt(2 / (channels * kernel * kernel));
    const weights = depthwise ? [out, 1, 1, kernel, kernel] : [out, channels, kernel, kernel];
    const pad = (kernel - 1) >> 1;
    const y = this.add(depthwise ? 'GroupConvolution' : 'Convolution', [x, this.normal(weights, deviation)], {
      strides: [stride, stride],
      pads_begin: [pad, pad],
      pads_end: [pad, pad],
      dilations: [1, 1],
    });
    return this.add('Add', [y, this.normal([1, out, 1, 1], 0.05)]);
  }

  /** x · weights + bias over the last axis. */
  linear(x: OutputPort, out: number, gain = 1): OutputPort {
    const inner = x.fact.shape.at(-1)!;
    const product = this.add('MatMul', [x, this.normal([inner, out], gain / Math.sqrt(inner))], {});
    return this.add('Add', [product, this.normal([out], 0.02)]);
  }

  /** Mean over height and width, flattened, and a fully connected layer. */
  classifier(x: OutputPort, classes: number): OutputPort {
    const channels = x.fact.shape[1]!;
    const pooled = this.add('ReduceMean', [x, this.integers(2, 3)], { keep_dims: true });
    const flat = this.add('Reshape', [pooled, this.integers(-1, channels)], { special_zero: false });
    return this.linear(flat, classes);
  }
}
