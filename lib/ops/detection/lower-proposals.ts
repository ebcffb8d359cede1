// Regions of a proposal network as a native kernel call.
import type { Node } from '../../graph/node.ts';
import type { LowerContext } from '../lower-context.ts';

/** What the operations that propose regions tell the kernel `proposals`; the input ports are those of the operation. */
export interface ProposalCall {
  readonly ports: { readonly scores: number; readonly deltas: number; readonly sizes: number };
  /** The port of the anchors, or those of one cell. */
  readonly anchors: number | Float32Array;
  /** Sizes of the problem and flags, by the names of the kernel; what is absent is 0. */
  readonly params: Readonly<Record<string, number>>;
}

const absent = {
  ...{ firstScore: 0, sizeStride: 0, scaled: 0, step: 0, turned: 0, coordinateScale: 1, sizeScale: 1 },
  ...{ maxDeltaLogWh: Number.POSITIVE_INFINITY, extent: 0, back: 0, nmsExtent: 0, clipAnchors: 0, clipBefore: 0 },
  ...{ clipAfter: 0, normalized: 0, withImage: 0, packed: 0, dropsSmall: 0, leastSize: 0 },
};

/** Emits the call; its results are the node's outputs in their order. */
export function lowerProposals(node: Node, context: LowerContext, c: ProposalCall): void {
  const { scores, deltas, sizes } = c.ports;
  const anchors =
    typeof c.anchors === 'number'
      ? context.float(node, c.anchors, 'plain')
      : context.builder.constant('f32', c.anchors);
  context.builder.call(
    'proposals',
    { ...absent, ...c.params },
    {
      name: node.name,
      in: [...[scores, deltas, sizes].map((port) => context.float(node, port, 'plain')), anchors],
      out: node.outputs.map((port) => context.place(port, 'plain')),
    },
  );
}
