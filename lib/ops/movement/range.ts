// Range, both revisions: an arithmetic sequence.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { type ElementType, isFloat } from '../../tensor/element-type.ts';
import { maxElements } from '../../tensor/shape.ts';
import { elementType, noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact } from '../fact.ts';

interface Sequence {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Undefined when a bound is not known. Bounds of other types are first converted: a whole output type truncates them. */
function sequenceOf(type: ElementType, inputs: Facts): Sequence | undefined {
  const values = [0, 1, 2].map((i) => inputFact(inputs, i).value);
  const [start, stop, step] = values.map((v) => v && bound(type, toFloat64(v)));
  if (start === undefined || stop === undefined || step === undefined) return undefined;
  if (step === 0) throw new LowpError('ERR_OP_INPUTS', 'the step is 0');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= maxElements)) throw new LowpError('ERR_SHAPE_OVERFLOW', `the range has ${count} elements`);
  return { start, step, count };
}

function bound(type: ElementType, values: Float64Array): number {
  if (values.length !== 1)
    throw new LowpError('ERR_SHAPE_MISMATCH', `a bound has ${values.length} elements, expected 1`);
  return isFloat(type) ? values[0]! : Math.trunc(values[0]!);
}

function infer(type: ElementType, inputs: Facts) {
  return [{ type, shape: [sequenceOf(type, inputs)?.count ?? -1] }];
}

function evaluate(type: ElementType, inputs: Facts) {
  const { start, step, count } = sequenceOf(type, inputs)!;
  const values = Float64Array.from({ length: count }, (_, i) => start + i * step);
  return [fromFloat64(values, [count], type)];
}

/** start, start + step, … before stop; all inputs are scalars of the output's type. */
export const range1 = defineOp({
  type: 'Range',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [3, 3],
  infer: (_, inputs) => infer(inputFact(inputs, 0).type, inputs),
  evaluate: (_, inputs) => evaluate(inputs[0]!.type, factsOf(inputs)),
});

/** Range with a type of its own. */
export const range4 = defineOp({
  type: 'Range',
  opset: 'opset4',
  attributes: z.object({ output_type: elementType }),
  inputs: [3, 3],
  infer: (a, inputs) => infer(a.output_type, inputs),
  evaluate: (a, inputs) => evaluate(a.output_type, factsOf(inputs)),
});
