// What the networks of ../shared/irs are fed: photographs where they take images, and noise.
import path from 'node:path';
import { inputName, type Model, openData } from '../../lib/index.ts';
import { convert } from '../../lib/tensor/convert.ts';
import { elementCount } from '../../lib/tensor/shape.ts';
import { type Tensor, tensor } from '../../lib/tensor/tensor.ts';
import { random } from '../../lib/util/random.ts';

/** Below the folder of shared data. */
const photographs = 'coco/calib/images';
/** Between the photographs that two inputs of a model get. */
const distance = 7;

/**
 * Values of 0 to 255 for images, BGR; several image inputs get different photographs. Numbers of 0 to 1 for other
 * inputs.
 *
 * @param data   the folder of shared data
 * @param index  of the sample
 */
export async function photographFeeds(model: Model, data: string, index: number): Promise<Record<string, Tensor>> {
  const feeds = noiseFeeds(model, index + 1);
  let at = index;
  for (const parameter of model.parameters()) {
    const { shape, type } = parameter.output.fact;
    if (shape.length !== 4) continue;
    const info = { name: 'image', shape, type: 'f32' as const };
    const opened = await openData(path.join(data, photographs), [info], {
      resize: `${shape[3]}x${shape[2]}`,
      color: shape[1] === 1 ? 'gray' : 'bgr',
      limit: at + 1,
    });
    for await (const sample of opened.data) feeds[inputName(parameter)] = convert(sample.inputs.image!, type);
    at += distance;
  }
  return feeds;
}

/** Whole numbers of 0 to 255 for images, independent of each other; numbers of 0 to 1 for other inputs. */
export function noiseFeeds(model: Model, seed: number): Record<string, Tensor> {
  const { next } = random(seed);
  return Object.fromEntries(
    model.parameters().map((p) => {
      const { shape, type } = p.output.fact;
      const value = shape.length === 4 ? () => Math.floor(256 * next()) : next;
      const data = Float32Array.from({ length: elementCount(shape) }, value);
      return [inputName(p), convert(tensor('f32', shape, data), type)];
    }),
  );
}
