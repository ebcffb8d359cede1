// Slice: python slices of some axes.
import { LowpError } from '../../errors/lowp-error.ts';
import type { Node } from '../../graph/node.ts';
import { normalizeAxis } from '../../tensor/shape.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';
import { lowerSlices, moveRuntime, sliceBox } from './lower.ts';
import { listed, type Progression, slicePositions, wholeAxis } from './slicing.ts';
import { takeByAxes } from './take.ts';

/** Positions taken of each axis; undefined where the axis is dynamic, or altogether when a bound is not known. */
function positionsOf(inputs: Facts): (Progression | undefined)[] | undefined {
  const { shape } = inputFact(inputs, 0);
  const [start, stop, step] = [1, 2, 3].map((i) => knownIntegers(inputFact(inputs, i)));
  if (!start || !stop || !step) return undefined;
  const axes = inputs[4] ? knownIntegers(inputs[4]) : start.map((_, i) => i);
  if (!axes) return undefined;
  if (stop.length !== start.length || step.length !== start.length || axes.length !== start.length) {
    throw new LowpError('ERR_SHAPE_MISMATCH', 'start, stop, step and axes have different lengths');
  }
  if (step.includes(0)) throw new LowpError('ERR_OP_INPUTS', 'a step is 0');
  const positions = shape.map((d) => (d < 0 ? undefined : wholeAxis(d)));
  for (const [i, axis] of axes.entries()) {
    const at = normalizeAxis(axis, shape.length);
    const slice = { begin: start[i]!, end: stop[i]!, step: step[i]! };
    if (shape[at]! >= 0) positions[at] = slicePositions(shape[at]!, slice);
  }
  return positions;
}

function infer(inputs: Facts) {
  const x = inputFact(inputs, 0);
  const positions = positionsOf(inputs);
  return [{ type: x.type, shape: x.shape.map((_, i) => positions?.[i]?.count ?? -1) }];
}

function factsAt(node: Node): Facts {
  return node.inputs.map((i) => i.source?.fact);
}

/** `x[start : stop : step]` on the listed axes (all of them without a list); bounds are clamped, steps may be negative. */
export const slice = defineOp({
  type: 'Slice',
  opset: 'opset8',
  attributes: noAttributes,
  inputs: [4, 5],
  strings: true,
  infer: (_, inputs) => infer(inputs),
  evaluate: (_, inputs) => {
    const positions = positionsOf(factsOf(inputs))!;
    return [
      takeByAxes(
        inputs[0]!,
        positions.map((p) => listed(p!)),
      ),
    ];
  },
  lower: (_, node, context) => lowerSlices(node, context, [sliceBox(node.output, positionsOf(factsAt(node))!)]),
  canLower: (_, node) => node.output.fact.shape.every((d) => d > 0) && positionsOf(factsAt(node)) !== undefined,
  runtime: moveRuntime,
  quantization: { ascend: 'first', selects: true },
});
