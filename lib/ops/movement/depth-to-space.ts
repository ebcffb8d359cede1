// DepthToSpace and SpaceToDepth: move elements between channels and spatial blocks.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { formatShape, type Shape, stridesOf } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { enumeration, int } from '../attribute.ts';
import { stridedOffsets } from '../broadcast.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, inputFact, requireRank } from '../fact.ts';
import { moveRuntime } from './lower.ts';
import { fitsCopy, lowerSplitCopy } from './lower-split.ts';
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

/**
 * Loops over images, channels, blocks and positions of `[N, C·b^k, d1, …]`, the deep side, and `[N, C, d1·b, …]`, the
 * wide one.
 */
function blockLoops(a: Attributes, wide: Shape, deepStrides: readonly number[], wideStrides: readonly number[]) {
  const b = a.block_size;
  const [batch, channels, ...spatial] = wide;
  const blocksFirst = a.mode === 'blocks_first';
  const [deep, shallow] = [deepStrides[1]!, wideStrides[1]!];
  const channelStep = blocksFirst ? 1 : b ** spatial.length;
  const blockStep = blocksFirst ? channels! : 1;
  return [
    { size: batch!, deep: deepStrides[0]!, wide: wideStrides[0]! },
    { size: channels!, deep: deep * channelStep, wide: shallow },
    ...spatial.flatMap((d, i) => [
      { size: d / b, deep: deepStrides[i + 2]!, wide: wideStrides[i + 2]! * b },
      { size: b, deep: deep * blockStep * b ** (spatial.length - 1 - i), wide: wideStrides[i + 2]! },
    ]),
  ];
}

/** Images and lines: the loops of volumes are too many. */
function fitsLoops(node: Node): boolean {
  return fitsCopy(2 + 2 * (node.output.fact.shape.length - 2));
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
  lower: (a, node, context) =>
    lowerSplitCopy(node, context, (from, to) =>
      blockLoops(a, node.output.fact.shape, from, to).map((l) => ({ size: l.size, from: l.deep, to: l.wide })),
    ),
  canLower: (_, node) => fitsLoops(node),
  runtime: moveRuntime,
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
  lower: (a, node, context) =>
    lowerSplitCopy(node, context, (from, to) =>
      blockLoops(a, node.source(0)!.fact.shape, to, from).map((l) => ({ size: l.size, from: l.wide, to: l.deep })),
    ),
  canLower: (_, node) => fitsLoops(node),
  runtime: moveRuntime,
});
