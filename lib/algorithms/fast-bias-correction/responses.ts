// Mean output of products for inputs that are constant in each channel, all products in few runs of the engine.
import type { Engine, ObservePoint } from '../../engines/engine.ts';
import { addConstant } from '../../graph/edit.ts';
import { inputName, Model } from '../../graph/model.ts';
import { createNode } from '../../ops/create-node.ts';
import { elementCount, normalizeAxis, type Shape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { BiasedProduct } from '../biased-products.ts';

/** One product to evaluate. */
export interface ResponseJob {
  readonly product: BiasedProduct;
  /** Weights to use instead of the model's. */
  readonly weights: Tensor;
  /** Value of each input channel. */
  readonly channelValues: Float32Array;
  /** Shape of the data; the first axis is set to 1. */
  readonly inputShape: Shape;
}

export interface ResponseOptions {
  readonly engine: Engine;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** Elements of all inputs of one run: 64 MiB of floats. */
const mostElements = 2 ** 24;

/**
 * For each job the mean of the output over everything but the channels, in the order of the jobs. Padding is part of it:
 * at the borders the windows see zeros, as they do in the model.
 */
export async function meanResponses(jobs: readonly ResponseJob[], options: ResponseOptions): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  for (const batch of batches(jobs)) results.push(...(await runBatch(batch, options)));
  return results;
}

function batches(jobs: readonly ResponseJob[]): ResponseJob[][] {
  const out: ResponseJob[][] = [];
  let room = 0;
  for (const job of jobs) {
    const size = elementCount(withOneSample(job.inputShape));
    if (size > room) {
      out.push([]);
      room = mostElements;
    }
    out.at(-1)!.push(job);
    room -= size;
  }
  return out;
}

async function runBatch(jobs: readonly ResponseJob[], options: ResponseOptions): Promise<Float32Array[]> {
  const model = new Model('bias correction');
  const feeds: Record<string, Tensor> = {};
  const observe: ObservePoint[] = jobs.map((job, i) => {
    const shape = withOneSample(job.inputShape);
    const attributes = { element_type: 'f32', shape: [...shape] };
    const parameter = createNode(model, { type: 'Parameter', name: `data ${i}`, attributes, inputs: [] });
    feeds[inputName(parameter)] = constantPerChannel(shape, job.product.channelAxis, job.channelValues);
    const { node, weights } = job.product;
    const inputs = node.inputs.map((input) => {
      if (input.index === weights.index) return addConstant(model, `weights ${i}`, job.weights).output;
      const value = input.index === 0 ? undefined : input.source?.fact.value;
      if (value) return addConstant(model, `operand ${i} ${input.index}`, value).output;
      return input.index === 0 ? parameter.output : undefined;
    });
    const product = createNode(model, {
      type: node.type,
      name: `product ${i}`,
      attributes: node.attributes,
      inputs,
      notes: node.notes.opset === undefined ? {} : { opset: node.notes.opset },
    });
    createNode(model, { type: 'Result', name: `result ${i}`, inputs: [product.output] });
    return { port: product.output, granularity: 'perChannel', channelAxis: job.product.channelAxis };
  });
  const { engine, ...how } = options;
  const executable = await engine.compile(model, { ...how, observe });
  try {
    const { observations } = await executable.run(feeds, how);
    return observations.map((o) => o.mean);
  } finally {
    await executable.close();
  }
}

function withOneSample(shape: Shape): Shape {
  return shape.length > 1 ? [1, ...shape.slice(1)] : shape;
}

function constantPerChannel(shape: Shape, channelAxis: number, values: Float32Array): Tensor {
  const axis = normalizeAxis(channelAxis, shape.length);
  const stride = stridesOf(shape)[axis]!;
  const data = new Float32Array(elementCount(shape));
  for (let start = 0, c = 0; start < data.length; start += stride, c = (c + 1) % values.length) {
    data.fill(values[c]!, start, start + stride);
  }
  return { type: 'f32', shape, data };
}
