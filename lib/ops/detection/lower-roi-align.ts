// Bilinear samples of regions as a native kernel call.
import type { Node } from '../../graph/node.ts';
import { elementCount, isStatic } from '../../tensor/shape.ts';
import { factsOfNode } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';

/** How the kernel `roi_align` reads and pools regions. */
export interface RegionSampling {
  readonly bins: readonly [number, number];
  /** Samples of a bin along each axis; 0: as many as it has pixels, rounded up. */
  readonly ratio: number;
  readonly takesLargest: boolean;
  /** Corners lie at (v + before) · scale − behind, or, by `divides`, at (v + before) / scale − behind. */
  readonly divides: boolean;
  readonly before: number;
  readonly behind: number;
  /** Least width and height. */
  readonly least: number;
  /** Input ports of the maps, and the scale of each one; of several the area of a region chooses. */
  readonly maps: readonly number[];
  readonly scales: readonly number[];
  readonly byArea: boolean;
  readonly regions: number;
  /** The port that tells the image of each region; absent: the first image. */
  readonly images?: number;
}

/** All sizes are known and nothing is empty. */
export function canLowerRegions(node: Node): boolean {
  const shapes = [...factsOfNode(node).map((f) => f!.shape), node.output.fact.shape];
  return shapes.every((shape) => isStatic(shape) && elementCount(shape) > 0);
}

/** Samples of a bin along each axis that the kernel takes at most. */
export const mostSamples = 1024;

/** Emits the pooling of all regions into output 0. */
export function lowerRoiAlign(node: Node, context: LowerContext, s: RegionSampling): void {
  const { builder } = context;
  const maps = s.maps.map((port) => node.source(port)!.fact.shape);
  builder.call(
    'roi_align',
    {
      regions: node.output.fact.shape[0]!,
      images: maps[0]![0]!,
      channels: maps[0]![1]!,
      pooledH: s.bins[0],
      pooledW: s.bins[1],
      samplingRatio: s.ratio,
      largest: s.takesLargest ? 1 : 0,
      byArea: s.byArea ? 1 : 0,
      divides: s.divides ? 1 : 0,
      before: s.before,
      behind: s.behind,
      least: s.least,
    },
    {
      name: node.name,
      in: [
        context.float(node, s.regions, 'plain'),
        s.images === undefined ? undefined : context.elements(node, s.images, 'plain'),
        builder.constant('f32', Float32Array.from(s.scales)),
        builder.constant('i32', Int32Array.from(maps.flatMap(([, , height, width]) => [height!, width!]))),
        ...s.maps.map((port) => context.float(node, port, 'channelsLast')),
      ],
      out: [context.place(node.output, 'channelsLast')],
    },
  );
}
