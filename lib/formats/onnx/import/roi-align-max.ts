/** RoiAlign that takes the largest of the weighted elements around its samples. */
import type { OutputPort } from '../../../graph/node.ts';
import { tensor } from '../../../tensor/tensor.ts';
import type { ImportNode } from './import-node.ts';

/** The form of a RoiAlign. */
export interface RoiAlign {
  readonly pooled_h: number;
  readonly pooled_w: number;
  /** Samples of a bin along each axis, at least 1. */
  readonly sampling_ratio: number;
  readonly spatial_scale: number;
  /** Pixels have their centers at halves. */
  readonly isHalf: boolean;
}

/** Where samples lie along one axis: two elements of the image and their weights, `[R, samples]` each. */
interface Samples {
  readonly places: readonly [OutputPort, OutputPort];
  readonly weights: readonly [OutputPort, OutputPort];
}

/**
 * A sample lies among four elements with the weights `(1 − dy) · (1 − dx)` and so on. Its value is the largest product of
 * element and weight, as ONNX Runtime computes it, not their sum; 0 outside of the image. A bin is the largest sample.
 */
export function roiAlignMax(n: ImportNode, a: RoiAlign): OutputPort {
  const [height, width] = n.input(0).fact.shape.slice(2) as [number, number];
  const ys = samplesOf(n, a, { from: 1, to: 3, bins: a.pooled_h, size: height });
  const xs = samplesOf(n, a, { from: 0, to: 2, bins: a.pooled_w, size: width });
  const images = n.step('Gather', [n.input(0), n.input(2), axis(n, 0)], { batch_dims: 0 });
  const spread = (port: OutputPort, axes: readonly number[]) => n.step('Unsqueeze', [port, n.indices(axes, 'axes')]);
  let largest: OutputPort | undefined;
  for (const y of [0, 1] as const) {
    const rows = n.step('Gather', [images, ys.places[y], axis(n, 2)], { batch_dims: 1 });
    for (const x of [0, 1] as const) {
      const elements = n.step('Gather', [rows, xs.places[x], axis(n, 3)], { batch_dims: 1 });
      const weights = n.step('Multiply', [spread(ys.weights[y], [1, 3]), spread(xs.weights[x], [1, 2])]);
      const products = n.step('Multiply', [elements, weights]);
      largest = largest ? n.step('Maximum', [largest, products]) : products;
    }
  }
  const kernel = [a.sampling_ratio, a.sampling_ratio];
  const window = { kernel, strides: kernel, pads_begin: [0, 0], pads_end: [0, 0] };
  return n.add('MaxPool', window, [largest!], { opset: 'opset1' });
}

function axis(n: ImportNode, index: number): OutputPort {
  return n.scalar('i64', index, 'axis');
}

function samplesOf(
  n: ImportNode,
  a: RoiAlign,
  along: { readonly from: number; readonly to: number; readonly bins: number; readonly size: number },
): Samples {
  const column = (i: number) => {
    const taken = n.step('Gather', [n.input(1), n.indices([i], 'column'), axis(n, 1)], { batch_dims: 0 });
    return n.with('Subtract', n.with('Multiply', taken, a.spatial_scale), a.isHalf ? 0.5 : 0);
  };
  const start = column(along.from);
  const extent = n.step('Subtract', [column(along.to), start]);
  const length = a.isHalf ? extent : n.with('Maximum', extent, 1);
  const count = along.bins * a.sampling_ratio;
  const steps = Array.from({ length: count }, (_, k) => (k + 0.5) / count);
  const offsets = n.step('Multiply', [length, n.constant(tensor('f32', [1, count], steps), 'steps')]);
  const at = n.step('Add', [start, offsets]);
  const beyond = n.step('LogicalOr', [n.with('Less', at, -1), n.with('Greater', at, along.size)]);
  const inside = n.converted(n.step('LogicalNot', [beyond]), 'f32');
  const limited = n.with('Minimum', n.with('Maximum', at, 0), along.size - 1);
  const low = n.step('Floor', [limited]);
  const high = n.with('Minimum', n.with('Add', low, 1), along.size - 1);
  const behind = n.step('Multiply', [n.step('Subtract', [limited, low]), inside]);
  const before = n.step('Subtract', [inside, behind]);
  return { places: [n.converted(low, 'i64'), n.converted(high, 'i64')], weights: [before, behind] };
}
