// Broadcast, both revisions: repeats a tensor to a target shape.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import {
  broadcastShapes,
  formatShape,
  normalizeAxis,
  type Shape,
  unknownRank,
  unknownShape,
} from '../../tensor/shape.ts';
import { enumeration } from '../attribute.ts';
import { expandedStrides, requireOneWay, stridedOffsets } from '../broadcast.ts';
import { defineOp, type OpDef } from '../define-op.ts';
import { type Facts, factsOf, factsOfNode, inputFact, knownIntegers } from '../fact.ts';
import type { LowerContext } from '../lower-context.ts';
import { moveRuntime } from './lower.ts';
import { take } from './take.ts';

type Mode = 'numpy' | 'explicit' | 'bidirectional';

interface Resolved {
  readonly shape: number[];
  /** The input axis behind each output axis, undefined where there is none. */
  readonly axes: readonly (number | undefined)[];
}

/** The last axes of the output are those of the input. */
function aligned(shape: number[], rank: number): Resolved {
  const missing = shape.length - rank;
  return { shape, axes: shape.map((_, i) => (i < missing ? undefined : i - missing)) };
}

/** The input's shape with axes of size 1 where the output has more. */
function spread(from: Shape, { axes }: Resolved): number[] {
  return axes.map((axis) => (axis === undefined ? 1 : from[axis]!));
}

/** Undefined while the target is not known. */
function resolve(mode: Mode, inputs: Facts): Resolved | undefined {
  const x = inputFact(inputs, 0);
  const target = knownIntegers(inputFact(inputs, 1));
  if (!target) return undefined;
  if (target.some((d) => d < 0)) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `the target shape ${target.join(',')} has a negative size`);
  }
  if (mode === 'bidirectional') return aligned(broadcastShapes(x.shape, target), x.shape.length);
  if (mode === 'numpy') {
    requireOneWay(x.shape, target);
    return aligned(target, x.shape.length);
  }
  const mapping = knownIntegers(inputFact(inputs, 2));
  if (!mapping) return undefined;
  if (mapping.length !== x.shape.length) {
    throw new LowpError('ERR_SHAPE_MISMATCH', `${mapping.length} axes are mapped of ${formatShape(x.shape)}`);
  }
  const axes = new Array<number | undefined>(target.length).fill(undefined);
  for (const [i, axis] of mapping.entries()) axes[normalizeAxis(axis, target.length)] = i;
  const resolved = { shape: target, axes };
  requireOneWay(spread(x.shape, resolved), target);
  return resolved;
}

/** The same memory, which axes that are repeated do not step through. */
function lower(mode: Mode, node: Node, context: LowerContext): void {
  const from = node.source(0)!.fact.shape;
  const view = context.view(node, 0);
  const { axes } = resolve(mode, factsOfNode(node))!;
  const strides = axes.map((axis) => (axis === undefined || from[axis] === 1 ? 0 : view.strides[axis]!));
  context.defineView(node.output, { ...view, strides });
}

function infer(mode: Mode, inputs: Facts) {
  const x = inputFact(inputs, 0);
  const resolved = resolve(mode, inputs);
  if (resolved) return [{ type: x.type, shape: resolved.shape }];
  const length = inputFact(inputs, 1).shape[0] ?? 1;
  if (length < 0) return [{ type: x.type, shape: unknownRank }];
  const rank = mode === 'bidirectional' ? Math.max(length, x.shape.length) : length;
  return [{ type: x.type, shape: unknownShape(rank) }];
}

function define(opset: string, modes: readonly [Mode, ...Mode[]]): OpDef {
  return defineOp({
    type: 'Broadcast',
    opset,
    attributes: z.object({ mode: enumeration(modes).default('numpy') }),
    inputs: [2, 3],
    strings: true,
    infer: (a, inputs) => infer(a.mode, inputs),
    evaluate: (a, inputs) => {
      const resolved = resolve(a.mode, factsOf(inputs))!;
      const { shape } = resolved;
      const strides = expandedStrides(spread(inputs[0]!.shape, resolved), shape);
      return [take(inputs[0]!, shape, stridedOffsets(shape, strides))];
    },
    lower: (a, node, context) => lower(a.mode, node, context),
    canLower: (a, node) => resolve(a.mode, factsOfNode(node)) !== undefined,
    runtime: moveRuntime,
    quantization: { ascend: 'first' },
  });
}

/** Inputs: data, target shape, axes mapping (`explicit`: the output axis of each input axis). */
export const broadcast1 = define('opset1', ['numpy', 'explicit']);

/** With `bidirectional`: data and target shape expand each other. */
export const broadcast3 = define('opset3', ['numpy', 'explicit', 'bidirectional']);
