/** Cases as a generator writes them: patterned inputs by shape and seed, whole-number vectors by value. */
import type { Shape } from '../../../lib/tensor/shape.ts';
import { tensor } from '../../../lib/tensor/tensor.ts';
import { i64, type OpCase, pattern } from './op-case.ts';

export interface RecordedCase {
  readonly name: string;
  readonly op: string;
  readonly opset?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: readonly (
    | { readonly shape: Shape; readonly seed: number }
    | { readonly integers: readonly number[] }
  )[];
  readonly expected: readonly { readonly type: string; readonly shape: Shape; readonly values: readonly number[] }[];
}

/** Recorded outputs have nine digits of magnitudes up to about 100, results are f32. */
const tolerance = 2e-5;

export function replay(c: RecordedCase): OpCase {
  return {
    name: c.name,
    op: c.op,
    ...(c.opset ? { opset: c.opset } : {}),
    attributes: c.attributes,
    inputs: c.inputs.map((i) => ('seed' in i ? pattern(i.shape, i.seed) : operand(c.op, i.integers))),
    constants: c.inputs.flatMap((i, at) => ('integers' in i ? [at] : [])),
    expected: c.expected.map((e) => tensor(e.type === 'i64' ? 'i64' : 'f32', e.shape, e.values)),
    tolerance,
  };
}

/** The scales of an Interpolate that goes by sizes are present but not used. */
function operand(op: string, values: readonly number[]) {
  const isUnusedScales = op === 'Interpolate' && values.every((v) => v === 1);
  return isUnusedScales ? tensor('f32', [values.length], values) : i64(...values);
}
