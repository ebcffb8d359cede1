// ShuffleChannels: interleaves groups of an axis.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { normalizeAxis } from '../../tensor/shape.ts';
import { int } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { inputFact } from '../fact.ts';
import { moveRuntime } from './lower.ts';
import { fitsCopy, lowerSplitCopy } from './lower-split.ts';
import { sequence, takeByAxes } from './take.ts';

const attributes = z.object({ axis: int.default(1), group: int.default(1) });

/** The axis seen as `[group, size / group]` and transposed. Real files label it opset1 and opset3. */
export const shuffleChannels = defineOp({
  type: 'ShuffleChannels',
  opset: 'opset3',
  attributes,
  inputs: [1, 1],
  infer: (a, inputs) => {
    const { type, shape } = inputFact(inputs, 0);
    const size = shape[normalizeAxis(a.axis, shape.length)]!;
    if (a.group < 1 || (size >= 0 && size % a.group !== 0)) {
      throw new LowpError('ERR_SHAPE_MISMATCH', `an axis of ${size} elements has no ${a.group} equal groups`);
    }
    return [{ type, shape }];
  },
  evaluate: (a, [x]) => {
    const axis = normalizeAxis(a.axis, x!.shape.length);
    const perGroup = x!.shape[axis]! / a.group;
    const shuffled = sequence(x!.shape[axis]!).map((i) => (i % a.group) * perGroup + Math.floor(i / a.group));
    return [
      takeByAxes(
        x!,
        x!.shape.map((d, i) => (i === axis ? shuffled : sequence(d))),
      ),
    ];
  },
  lower: (a, node, context) => {
    const { shape } = node.output.fact;
    const axis = normalizeAxis(a.axis, shape.length);
    const perGroup = shape[axis]! / a.group;
    lowerSplitCopy(node, context, (from, to) =>
      shape.flatMap((size, i) => {
        if (i !== axis) return [{ size, from: from[i]!, to: to[i]! }];
        return [
          { size: a.group, from: from[i]! * perGroup, to: to[i]! },
          { size: perGroup, from: from[i]!, to: to[i]! * a.group },
        ];
      }),
    );
  },
  canLower: (_, node) => fitsCopy(node.output.fact.shape.length + 1),
  runtime: moveRuntime,
  quantization: { ascend: 'first' },
});
