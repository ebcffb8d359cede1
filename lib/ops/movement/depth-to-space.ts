// DepthToSpace and SpaceToDepth: move elements between channels and spatial blocks.
import { z } from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { formatShape, type Shape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { enumeration, int } from '../attribute.ts';
import { stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact, requireRank } from '../fact.ts';
import { take, withShape } from './take.ts';

const attributes = z.object({
  mode: enumeration(['blocks_first', 'depth_first']).default('blocks_first'),
  block_size: int.refine((n) => n > 0, 'a positive size is expected').default(1),
});

type Attributes = z.infer<typeof attributes>;

function divide(size: number, by: number, shape: Shape): number {
  if (size >= 0 && size % by !== 0) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `${size} of ${formatShape(shape)} is not a multiple of ${by}`);
  }
  return size < 0 ? -1 : size / by;
}

function depthToSpaceShape(a: Attributes, { shape }: { shape: Shape }): number[] {
  requireRank(shape, 3, 5);
  const [n, c, ...spatial] = shape;
  return [
    n!,
    divide(c!, a.block_size ** spatial.length, shape),
    ...spatial.map((d) => (d < 0 ? -1 : d * a.block_size)),
  ];
}

function spaceToDepthShape(a: Attributes, { shape }: { shape: Shape }): number[] {
  requireRank(shape, 3, 5);
  const [n, c, ...spatial] = shape;
  return [n!, c! < 0 ? -1 : c! * a.block_size ** spatial.length, ...spatial.map((d) => divide(d, a.block_size, shape))];
}

/** Elements of `t` in the order of its axes `order`. */
function permute(t: Tensor, order: readonly number[]): Tensor {
  const strides = stridesOf(t.shape);
  const shape = order.map((axis) => t.shape[axis]!);
  const source = stridedOffsets(
    shape,
    order.map((axis) => strides[axis]!),
  );
  return take(t, shape, source);
}

/** Axes `[N, blocks…, C, spatial…]` or `[N, C, blocks…, spatial…]`, and where they lie in `[N, C, (spatial, block)…]`. */
function splitAxes(a: Attributes, k: number): number[] {
  const channel = a.mode === 'blocks_first' ? k + 1 : 1;
  const firstBlock = a.mode === 'blocks_first' ? 1 : 2;
  const pairs = Array.from({ length: k }, (_, i) => [k + 2 + i, firstBlock + i]).flat();
  return [0, channel, ...pairs];
}

/** `[N, C·b^k, d1, …]` → `[N, C, d1·b, …]`; the blocks are the outer (`blocks_first`) or inner part of the channels. */
export const depthToSpace = defineOp({
  type: 'DepthToSpace',
  opset: 'opset1',
  attributes,
  inputs: [1, 1],
  infer: (a, inputs: Facts) => {
    const x = inputFact(inputs, 0);
    return [{ type: x.type, shape: depthToSpaceShape(a, x) }];
  },
  evaluate: (a, [x]) => {
    const shape = depthToSpaceShape(a, x!);
    const spatial = x!.shape.slice(2);
    const blocks = spatial.map(() => a.block_size);
    const channels = a.mode === 'blocks_first' ? [...blocks, shape[1]!] : [shape[1]!, ...blocks];
    const split = withShape(x!, [shape[0]!, ...channels, ...spatial]);
    return [withShape(permute(split, splitAxes(a, spatial.length)), shape)];
  },
  quantization: { ascend: 'first' },
});

/** The inverse of DepthToSpace: `[N, C, d1·b, …]` → `[N, C·b^k, d1, …]`. */
export const spaceToDepth = defineOp({
  type: 'SpaceToDepth',
  opset: 'opset1',
  attributes,
  inputs: [1, 1],
  infer: (a, inputs: Facts) => {
    const x = inputFact(inputs, 0);
    return [{ type: x.type, shape: spaceToDepthShape(a, x) }];
  },
  evaluate: (a, [x]) => {
    const shape = spaceToDepthShape(a, x!);
    const spatial = shape.slice(2);
    const split = withShape(x!, [x!.shape[0]!, x!.shape[1]!, ...spatial.flatMap((d) => [d, a.block_size])]);
    const forward = splitAxes(a, spatial.length);
    const inverse = forward.map((_, axis) => forward.indexOf(axis));
    return [withShape(permute(split, inverse), shape)];
  },
});
