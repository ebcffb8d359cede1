// Eye: matrices with ones on a diagonal.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toIntegers } from '../../tensor/convert.ts';
import { elementCount, isStatic, unknownRank, unknownShape } from '../../tensor/shape.ts';
import { elementType } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers } from '../fact.ts';

const attributes = z.object({ output_type: elementType });

function infer(a: z.infer<typeof attributes>, inputs: Facts) {
  const size = (i: number): number => knownIntegers(inputFact(inputs, i))?.[0] ?? -1;
  const batch = inputs[3];
  if (batch && !batch.value && !isStatic(batch.shape)) return [{ type: a.output_type, shape: unknownRank }];
  const dims = batch ? (knownIntegers(batch) ?? unknownShape(batch.shape[0] ?? 0)) : [];
  const shape = [...dims, size(0), size(1)];
  if (shape.some((d) => d < -1)) throw new LowpError('ERR_OP_INPUTS', `the sizes are ${shape}`);
  return [{ type: a.output_type, shape }];
}

/** Inputs: rows, columns, offset of the diagonal (positive: above the main one), optional leading sizes. */
export const eye = defineOp({
  type: 'Eye',
  opset: 'opset9',
  attributes,
  inputs: [3, 4],
  infer,
  evaluate: (a, inputs) => {
    const { shape } = infer(a, factsOf(inputs))[0]!;
    const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
    const offset = toIntegers(inputs[2]!)[0]!;
    const out = new Float64Array(elementCount(shape));
    for (let i = 0; i < out.length; i++) {
      const row = Math.floor(i / columns) % rows;
      if ((i % columns) - row === offset) out[i] = 1;
    }
    return [fromFloat64(out, shape, a.output_type)];
  },
});
