// Recurrent cells and sequences evaluated in doubles.
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { gateFunctions } from './activations.ts';
import type { CellKind, RecurrentAttributes, Step } from './kinds.ts';

/** The operands of a sequence in one direction. */
export interface SequenceInput {
  readonly batch: number;
  readonly steps: number;
  readonly inputSize: number;
  /** `[batch, steps, inputSize]`. */
  readonly x: Float64Array;
  /** `[batch, hidden]`. */
  readonly hidden: Float64Array;
  readonly cell: Float64Array | undefined;
  /** Steps of each sample. */
  readonly lengths: readonly number[];
  readonly weights: Float64Array;
  readonly recurrent: Float64Array;
  readonly bias: Float64Array;
  readonly peepholes?: Float64Array | undefined;
  /** The first `lengths[b]` steps are read from the last one on. */
  readonly reverse: boolean;
}

/** Outputs of a sequence: `[batch, steps, hidden]`, zero behind the end of a sample, and the states behind it. */
export interface SequenceOutput {
  readonly y: Float64Array;
  readonly hidden: Float64Array;
  readonly cell: Float64Array;
}

/** Runs one direction of a sequence. */
export function runSequence(kind: CellKind, a: RecurrentAttributes, s: SequenceInput): SequenceOutput {
  const size = a.hidden_size;
  const step = kind.step(a, gateFunctions(a, kind.activations.length));
  const y = new Float64Array(s.batch * s.steps * size);
  const lastHidden = new Float64Array(s.batch * size);
  const lastCell = new Float64Array(s.batch * size);
  for (let b = 0; b < s.batch; b++) {
    let state: ReturnType<Step> = {
      hidden: s.hidden.slice(b * size, (b + 1) * size),
      cell: s.cell?.slice(b * size, (b + 1) * size) ?? new Float64Array(0),
    };
    const length = s.lengths[b]!;
    for (let i = 0; i < length; i++) {
      const t = s.reverse ? length - 1 - i : i;
      const x = projected(kind, a, s, b * s.steps + t);
      const { bias, recurrent, peepholes } = s;
      state = step({ x, bias, recurrent, peepholes, ...state });
      y.set(state.hidden, (b * s.steps + t) * size);
    }
    lastHidden.set(state.hidden, b * size);
    if (kind.hasCell) lastCell.set(state.cell, b * size);
  }
  return { y, hidden: lastHidden, cell: lastCell };
}

/** `W x` of one sample at one step. */
function projected(kind: CellKind, a: RecurrentAttributes, s: SequenceInput, row: number): Float64Array {
  const out = new Float64Array(kind.gates * a.hidden_size);
  for (let r = 0; r < out.length; r++) {
    let sum = 0;
    let [at, from] = [r * s.inputSize, row * s.inputSize];
    for (let k = 0; k < s.inputSize; k++) sum += s.weights[at++]! * s.x[from++]!;
    out[r] = sum;
  }
  return out;
}

/** One part of `count` equal ones along the first axis, as doubles. */
export function part(t: Tensor | undefined, index: number, count: number): Float64Array | undefined {
  if (!t) return undefined;
  const size = elementCount(t.shape) / count;
  return toFloat64(t).slice(index * size, (index + 1) * size);
}

/** Puts `[batch, …]` blocks of all directions together as `[batch, directions, …]`. */
export function stackDirections(
  parts: readonly Float64Array[],
  batch: number,
  shape: Tensor['shape'],
  type: Tensor['type'],
): Tensor {
  const out = new Float64Array(elementCount(shape));
  const size = batch === 0 ? 0 : parts[0]!.length / batch;
  for (const [d, values] of parts.entries()) {
    for (let b = 0; b < batch; b++) {
      out.set(values.subarray(b * size, (b + 1) * size), (b * parts.length + d) * size);
    }
  }
  return fromFloat64(out, shape, type);
}
