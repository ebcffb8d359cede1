// Small models for tests, node by node, and running them by the reference engine.
import { referenceEngine } from '../../lib/engines/reference-engine.ts';
import { addConstant } from '../../lib/graph/edit.ts';
import { inputName, Model } from '../../lib/graph/model.ts';
import type { Node, OutputPort } from '../../lib/graph/node.ts';
import { createNode } from '../../lib/ops/index.ts';
import type { ElementType } from '../../lib/tensor/element-type.ts';
import { elementCount, type Shape } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';

/** Adds nodes to a model; every method returns the first output. */
export class ModelBuilder {
  readonly model: Model;
  readonly #random;

  constructor(name = 'test', seed = 1) {
    this.model = new Model(name);
    this.#random = random(seed);
  }

  parameter(name: string, shape: Shape, type: ElementType = 'f32'): OutputPort {
    const node = createNode(this.model, {
      type: 'Parameter',
      name,
      attributes: { element_type: type, shape },
      inputs: [],
    });
    node.output.names = [name];
    return node.output;
  }

  constant(name: string, shape: Shape, values: readonly number[], type: ElementType = 'f32'): OutputPort {
    return addConstant(this.model, name, tensor(type, shape, values)).output;
  }

  /** A constant of normally distributed numbers. */
  weights(name: string, shape: Shape): OutputPort {
    return addConstant(this.model, name, normal(shape, this.#random.normal)).output;
  }

  op(
    type: string,
    inputs: readonly OutputPort[],
    attributes: Readonly<Record<string, unknown>> = {},
    name = type.toLowerCase(),
  ): OutputPort {
    return createNode(this.model, { type, name, attributes, inputs }).output;
  }

  result(source: OutputPort, name = 'result'): Node {
    return createNode(this.model, { type: 'Result', name, inputs: [source] });
  }

  /** A 2-D convolution with padding 1, stride 1 and a 3×3 kernel. */
  convolution(x: OutputPort, weights: OutputPort, name = 'conv', type = 'Convolution'): OutputPort {
    const attributes = { strides: [1, 1], pads_begin: [1, 1], pads_end: [1, 1], dilations: [1, 1] };
    return this.op(type, [x, weights], attributes, name);
  }
}

function normal(shape: Shape, next: () => number): Tensor {
  return tensor('f32', shape, Float32Array.from({ length: elementCount(shape) }, next));
}

/** Normally distributed feeds for every static input. */
export function randomFeeds(model: Model, seed = 7): Record<string, Tensor> {
  const { normal: next } = random(seed);
  return Object.fromEntries(model.parameters().map((p) => [inputName(p), normal(p.output.fact.shape, next)]));
}

/** The outputs of the model by the reference engine. */
export async function evaluate(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const session = await referenceEngine.compile(model.clone());
  try {
    return (await session.run(feeds)).outputs;
  } finally {
    await session.close();
  }
}

/** Types of the nodes in order, constants left out. */
export function typesOf(model: Model): string[] {
  return model
    .nodes()
    .map((n) => n.type)
    .filter((t) => t !== 'Constant');
}
