// Builds small networks with seeded weights for tests.
import { addConstant } from '../../lib/graph/edit.ts';
import { Model } from '../../lib/graph/model.ts';
import type { Node, OutputPort } from '../../lib/graph/node.ts';
import { createNode } from '../../lib/ops/index.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { type Random, random } from '../../lib/util/random.ts';

/** Geometry of a convolution; defaults: kernel 3, padding that keeps the size, stride 1, with bias. */
export interface ConvolutionSpec {
  readonly kernel?: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly bias?: boolean;
}

/** Adds nodes one by one; every method returns the output of what it added. */
export class Network {
  readonly model = new Model('test');
  private readonly random: Random;

  constructor(seed = 1) {
    this.random = random(seed);
  }

  input(name: string, shape: Shape): OutputPort {
    const attributes = { element_type: 'f32', shape: [...shape] };
    return createNode(this.model, { type: 'Parameter', name, attributes, inputs: [] }).output;
  }

  /** Normally distributed values around `mean`. */
  weights(name: string, shape: Shape, spread = 0.5, mean = 0): OutputPort {
    return this.value(name, this.noise(shape, spread, mean));
  }

  /** A constant that holds a tensor. */
  value(name: string, value: Tensor): OutputPort {
    return addConstant(this.model, name, value).output;
  }

  /** A list of whole numbers, for shapes and axes. */
  integers(name: string, values: readonly number[]): OutputPort {
    return this.value(name, tensor('i64', [values.length], values));
  }

  noise(shape: Shape, spread = 1, mean = 0): Tensor {
    const data = Float32Array.from({ length: elementCount(shape) }, () => mean + spread * this.random.normal());
    return tensor('f32', shape, data);
  }

  op(
    type: string,
    name: string,
    inputs: readonly OutputPort[],
    attributes: Readonly<Record<string, unknown>> = {},
  ): OutputPort {
    return createNode(this.model, { type, name, inputs, attributes }).output;
  }

  convolution(name: string, x: OutputPort, channels: number, spec: ConvolutionSpec = {}): OutputPort {
    const { kernel = 3, bias = true } = spec;
    const shape = [channels, x.fact.shape[1]!, kernel, kernel];
    const spread = 1 / Math.sqrt(elementCount(shape.slice(1)));
    const y = this.op('Convolution', name, [x, this.weights(`${name}/weights`, shape, spread)], windowOf(spec));
    return bias ? this.bias(`${name}/add`, y, channels) : y;
  }

  depthwise(name: string, x: OutputPort, spec: ConvolutionSpec = {}): OutputPort {
    const { kernel = 3, bias = true } = spec;
    const channels = x.fact.shape[1]!;
    const weights = this.weights(`${name}/weights`, [channels, 1, 1, kernel, kernel], 1 / kernel);
    const y = this.op('GroupConvolution', name, [x, weights], windowOf(spec));
    return bias ? this.bias(`${name}/add`, y, channels) : y;
  }

  bias(name: string, x: OutputPort, channels: number, axis = 1): OutputPort {
    const shape = x.fact.shape.map((_, i) => (i === axis ? channels : 1));
    return this.op('Add', name, [x, this.weights(`${name}/values`, shape, 0.2, 0.1)]);
  }

  result(x: OutputPort, name = `${x.node.name}/result`): Node {
    return createNode(this.model, { type: 'Result', name, inputs: [x] });
  }
}

function windowOf(spec: ConvolutionSpec): Readonly<Record<string, unknown>> {
  const { kernel = 3, stride = 1 } = spec;
  const pad = spec.pad ?? Math.floor(kernel / 2);
  return { strides: [stride, stride], pads_begin: [pad, pad], pads_end: [pad, pad], dilations: [1, 1] };
}
