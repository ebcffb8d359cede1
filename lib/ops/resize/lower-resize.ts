// Resizing of images as a native kernel call: positions and weights of each axis are tables that the call holds.
import type { Node } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { LowerContext } from '../lower-context.ts';
import type { Neighbours } from './resample.ts';
import { axisNeighbours, type Resizing } from './resize.ts';

/** Nothing but the two innermost axes behind the channels of an image changes, and what it changes to is known. */
export function canLowerResize(node: Node, resizing: Resizing | undefined): boolean {
  if (!resizing || resizing.pads) return false;
  const rank = node.output.fact.shape.length;
  const first = Math.max(2, rank - 2);
  return rank >= 3 && rank <= 5 && [...resizing.axes.keys()].every((axis) => axis >= first);
}

/** Emits the resizing of the last two axes, or of the last one of a line; bytes move where each output is one input. */
export function lowerResize(node: Node, context: LowerContext, { axes, rule }: Resizing): void {
  const { shape } = node.source(0)!.fact;
  const out = node.output.fact.shape;
  const bytes = context.quantized(node, 0, 'channelsLast');
  const input = bytes?.buffer ?? context.float(node, 0, 'channelsLast');
  const place = bytes
    ? context.placeQuantized(node.output, 'channelsLast', bytes.format, { strided: true })
    : context.placeFloat(node.output, 'channelsLast', { strided: true });
  const last = shape.length - 1;
  const rows = last > 2 ? tableOf(axisNeighbours(rule, axes, last - 1, shape)) : tableOf([onlyPosition]);
  const columns = tableOf(axisNeighbours(rule, axes, last, shape));
  const { builder } = context;
  const weights = (table: Table) => (table.taps > 1 ? builder.constant('f32', table.weights) : undefined);
  builder.call(
    'resize',
    {
      batch: shape[0]! * elementCount(shape.slice(2, Math.max(2, last - 1))),
      inHeight: last > 2 ? shape[last - 1]! : 1,
      inWidth: shape[last]!,
      channels: shape[1]!,
      outHeight: last > 2 ? out[last - 1]! : 1,
      outWidth: out[last]!,
      rowTaps: rows.taps,
      columnTaps: columns.taps,
      outStride: place.stride,
      outOffset: place.offset,
    },
    {
      name: node.name,
      in: [
        input,
        builder.constant('i32', rows.positions),
        builder.constant('i32', columns.positions),
        weights(rows),
        weights(columns),
      ],
      out: [place.buffer],
    },
  );
}

const onlyPosition: Neighbours = { positions: [0], weights: [1] };

/** The neighbours of all outputs of an axis, each with as many. */
interface Table {
  readonly taps: number;
  readonly positions: Int32Array;
  readonly weights: Float32Array;
}

function tableOf(neighbours: readonly Neighbours[]): Table {
  const taps = Math.max(...neighbours.map((n) => n.positions.length));
  const filled = neighbours.map((n) => fill(n, taps));
  return {
    taps,
    positions: Int32Array.from(filled.flatMap((n) => n.positions)),
    weights: Float32Array.from(filled.flatMap((n) => n.weights)),
  };
}

/** Splits the last weight in halves until there are `taps`: a weight of 0 would make NaN of an infinite element. */
function fill(n: Neighbours, taps: number): Neighbours {
  const [positions, weights] = [[...n.positions], [...n.weights]];
  while (positions.length < taps) {
    const half = weights.pop()! / 2;
    weights.push(half, half);
    positions.push(positions.at(-1)!);
  }
  return { positions, weights };
}

/** Bytes move where each output is one input. */
export const resizeRuntime: RuntimeTraits = {
  bytes: 'move',
  epilogue: 'none',
  perChannel: true,
  storesApart: true,
  refuses: ({ attributes: { mode } }) => (mode === 'nearest' ? undefined : `the mode ${mode} runs in FP32`),
};
