// ReorgYolo: pixels become channels, in the order of the original Darknet layer.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node, OutputPort } from '../../graph/node.ts';
import { elementCount, formatShape, isStatic } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import type { Expansion } from '../expansion.ts';
import { type Facts, factsOf, inputFact, requireRank } from '../fact.ts';
import { take } from '../movement/take.ts';

const attributes = z.object({
  stride: intList.refine((v) => v.length === 1 && v[0]! > 0, 'one positive number is expected'),
});

type Attributes = z.infer<typeof attributes>;

function infer(a: Attributes, inputs: Facts) {
  const { type, shape } = inputFact(inputs, 0);
  const stride = a.stride[0]!;
  requireRank(shape, 4);
  const [n, c, h, w] = shape as [number, number, number, number];
  if ((c >= 0 && c < stride * stride) || (h >= 0 && h % stride !== 0) || (w >= 0 && w % stride !== 0)) {
    const text = `the stride ${stride} needs ${stride * stride} channels and height and width that it divides`;
    throw new LowpError('ERR_SHAPE_MISMATCH', `${text}, the input has shape ${formatShape(shape)}`);
  }
  const size = (d: number) => (d < 0 ? -1 : d / stride);
  return [{ type, shape: [n, c < 0 ? -1 : c * stride * stride, size(h), size(w)] }];
}

/** The input is read as [N, C / s², H · s, W · s], and result (c, h, w) of an input-shaped loop comes from there. */
function evaluate(a: Attributes, [x]: readonly Tensor[]): Tensor[] {
  const stride = a.stride[0]!;
  const [n, c, h, w] = x!.shape as [number, number, number, number];
  const planes = Math.floor(c / (stride * stride));
  const source = new Int32Array(elementCount(x!.shape));
  let out = 0;
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < c; channel++) {
      const shift = Math.floor(channel / planes);
      const plane = image * planes + (channel % planes);
      for (let y = 0; y < h; y++) {
        const row = (plane * h * stride + y * stride + Math.floor(shift / stride)) * w * stride;
        for (let i = 0; i < w; i++) source[out++] = row + i * stride + (shift % stride);
      }
    }
  }
  return [take(x!, infer(a, factsOf([x]))[0]!.shape, source)];
}

/** The loop of `evaluate` is SpaceToDepth of what it reads the input as, where that is all of the input. */
function expand(a: Attributes, node: Node, e: Expansion): OutputPort[] | undefined {
  const stride = a.stride[0]!;
  const { shape } = node.source(0)!.fact;
  const [n, c, h, w] = shape as [number, number, number, number];
  if (!isStatic(shape) || c % (stride * stride) !== 0) return undefined;
  const read = e.reshape(node.source(0)!, [n, c / stride ** 2, h * stride, w * stride], 'read');
  const deep = e.add('SpaceToDepth', [read], { mode: 'blocks_first', block_size: stride }, 'deep');
  return [e.reshape(deep, node.output.fact.shape, 'result')];
}

/** [N, C, H, W] → [N, C · s², H / s, W / s] with the index arithmetic of Darknet's reorg layer. */
export const reorgYolo = defineOp({
  type: 'ReorgYolo',
  opset: 'opset2',
  attributes,
  inputs: [1, 1],
  infer,
  evaluate,
  expand,
});
