// StridedSlice: slices with masks, new axes and removed axes.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { type Shape, unknownShape } from '../../tensor/shape.ts';
import { intList } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';
import { lowerSlices, moveRuntime, sliceBox } from './lower.ts';
import { listed, type Progression, type Slice, slicePositions, wholeAxis } from './slicing.ts';
import { takeByAxes, withShape } from './take.ts';

const attributes = z.object({
  /** 1: the bound at this place is ignored. */
  begin_mask: intList.default([]),
  end_mask: intList.default([]),
  new_axis_mask: intList.default([]),
  shrink_axis_mask: intList.default([]),
  ellipsis_mask: intList.default([]),
});

type Attributes = z.infer<typeof attributes>;

/** What happens to the axes: each input axis is sliced; `shape` drops the shrunk ones and has the new ones. */
interface Plan {
  readonly slices: readonly Slice[];
  /** For each output axis: the input axis, or -1 for a new one. */
  readonly axes: readonly number[];
}

function planOf(
  a: Attributes,
  rank: number,
  begin: readonly number[],
  end: readonly number[],
  step: readonly number[],
): Plan {
  const slices: Slice[] = [];
  const axes: number[] = [];
  const ellipsis = begin.findIndex((_, i) => a.ellipsis_mask[i] === 1 && a.new_axis_mask[i] !== 1);
  const used = begin.filter((_, i) => a.new_axis_mask[i] !== 1 && i !== ellipsis).length;
  if (used > rank) {
    throw new LowpError('ERR_SHAPE_RANK', `the slice names ${used} axes, the input has ${rank}`);
  }
  const keep = (): void => {
    axes.push(slices.length);
    slices.push({ step: 1 });
  };
  for (const i of begin.keys()) {
    const stride = step[i] ?? 1;
    if (a.new_axis_mask[i] === 1) axes.push(-1);
    else if (i === ellipsis) for (let n = rank - used; n > 0; n--) keep();
    else if (a.shrink_axis_mask[i] === 1) {
      const at = a.begin_mask[i] === 1 ? 0 : begin[i]!;
      slices.push(at === -1 ? { begin: at, step: 1 } : { begin: at, end: at + 1, step: 1 });
    } else {
      if (stride === 0) throw new LowpError('ERR_OP_INPUTS', 'a stride is 0');
      axes.push(slices.length);
      slices.push({
        ...(a.begin_mask[i] === 1 ? {} : { begin: begin[i]! }),
        ...(a.end_mask[i] === 1 ? {} : { end: end[i]! }),
        step: stride,
      });
    }
  }
  while (slices.length < rank) keep();
  return { slices, axes };
}

/** Positions taken of each input axis, undefined for dynamic axes, and the output shape. */
function resolve(
  a: Attributes,
  inputs: Facts,
): { positions: (Progression | undefined)[]; shape: Shape; axes: readonly number[] } | undefined {
  const x = inputFact(inputs, 0);
  const [begin, end] = [knownIntegers(inputFact(inputs, 1)), knownIntegers(inputFact(inputs, 2))];
  const step = inputs[3] ? knownIntegers(inputs[3]) : [];
  if (!begin || !end || !step) return undefined;
  const plan = planOf(a, x.shape.length, begin, end, step);
  const shrunk = new Set(plan.slices.keys());
  for (const axis of plan.axes) shrunk.delete(axis);
  const positions = plan.slices.map((s, i) => {
    const size = x.shape[i]!;
    if (size < 0) return undefined;
    const list = slicePositions(size, s);
    const inside = s.begin !== undefined && s.begin >= -size && s.begin < size;
    if (shrunk.has(i) && !inside) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `position ${s.begin} lies outside of axis ${i} with ${size} elements`);
    }
    return list;
  });
  const sizeOf = (axis: number): number => {
    const s = plan.slices[axis]!;
    return positions[axis]?.count ?? dynamicLength(s);
  };
  return { positions, axes: plan.axes, shape: plan.axes.map((axis) => (axis < 0 ? 1 : sizeOf(axis))) };
}

function factsAt(node: Node): Facts {
  return node.inputs.map((i) => i.source?.fact);
}

/** Length of a slice of an axis of unknown size: known only for an empty remainder such as `[-1:]`. */
function dynamicLength(s: Slice): number {
  return s.step === 1 && s.begin === -1 && s.end === undefined ? 1 : -1;
}

function infer(a: Attributes, inputs: Facts) {
  const x = inputFact(inputs, 0);
  const resolved = resolve(a, inputs);
  if (resolved) return [{ type: x.type, shape: resolved.shape }];
  const added = a.new_axis_mask.filter((m) => m === 1).length;
  const removed = a.shrink_axis_mask.filter((m, i) => m === 1 && a.new_axis_mask[i] !== 1).length;
  return [{ type: x.type, shape: unknownShape(x.shape.length + added - removed) }];
}

/**
 * `x[begin : end : stride]` for each listed axis. Masks, entry by entry: a set bit of `begin_mask` or `end_mask` ignores
 * that bound, `new_axis_mask` inserts an axis of size 1, `shrink_axis_mask` takes one position and drops the axis,
 * `ellipsis_mask` stands for all axes not listed. Axes behind the list are kept whole.
 */
export const stridedSlice = defineOp({
  type: 'StridedSlice',
  opset: 'opset1',
  attributes,
  inputs: [3, 4],
  strings: true,
  infer,
  evaluate: (a, [x, begin, end, strides]) => {
    const { positions, shape } = resolve(a, factsOf([x, begin, end, strides]))!;
    return [
      withShape(
        takeByAxes(
          x!,
          positions.map((p, i) => listed(p ?? wholeAxis(x!.shape[i]!))),
        ),
        shape,
      ),
    ];
  },
  lower: (a, node, context) => {
    const { positions, axes } = resolve(a, factsAt(node))!;
    lowerSlices(node, context, [sliceBox(node.output, positions, axes)]);
  },
  canLower: (a, node) =>
    node.output.fact.shape.every((d) => d > 0) && (resolve(a, factsAt(node))?.axes.every((i) => i >= 0) ?? false),
  runtime: moveRuntime,
  quantization: { ascend: 'first', selects: true },
});
