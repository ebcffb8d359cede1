// RandomUniform and Multinomial: numbers of a seeded generator.
import * as z from 'zod';
import { LowpError } from '../../errors/lowp-error.ts';
import { fromFloat64, toFloat64 } from '../../tensor/convert.ts';
import { isFloat } from '../../tensor/element-type.ts';
import { elementCount } from '../../tensor/shape.ts';
import { random } from '../../util/random.ts';
import { bool, elementType, int } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { type Facts, factsOf, inputFact, knownIntegers, requiredIntegers, requireRank } from '../fact.ts';

const seeds = { global_seed: int.default(0), op_seed: int.default(0) };

/** One stream for each pair of seeds. */
function generator(a: { global_seed: number; op_seed: number }) {
  return random(Math.imul(a.global_seed | 0, 0x9e3779b1) ^ (a.op_seed | 0));
}

function inferUniform(type: ReturnType<typeof inputFact>['type'], inputs: Facts) {
  return [{ type, shape: requiredIntegers(inputs, 0, 'shape') }];
}

/**
 * Numbers in `[least, most)`. Inputs: shape, least, most. They depend on the seeds alone: they are the same in every run,
 * and other ones than OpenVINO's generator gives.
 */
const randomUniform = defineOp({
  type: 'RandomUniform',
  opset: 'opset8',
  attributes: z.object({ output_type: elementType, ...seeds }),
  inputs: [3, 3],
  stateful: true,
  infer: (a, inputs) => inferUniform(a.output_type, inputs),
  evaluate: (a, inputs) => {
    const { shape } = inferUniform(a.output_type, factsOf(inputs))[0]!;
    const [least, most] = [toFloat64(inputs[1]!)[0]!, toFloat64(inputs[2]!)[0]!];
    if (!(least < most)) throw new LowpError('ERR_OP_INPUTS', `the range from ${least} to ${most} is empty`);
    const stream = generator(a);
    const draw = (): number => least + stream.next() * (most - least);
    const values = Float64Array.from({ length: elementCount(shape) }, () =>
      isFloat(a.output_type) ? draw() : Math.floor(draw()),
    );
    return [fromFloat64(values, shape, a.output_type)];
  },
});

/** Positions drawn by their weights; without replacement a drawn one has no weight afterwards. */
function draw(weights: Float64Array, count: number, withReplacement: boolean, next: () => number): number[] {
  const left = weights.slice();
  return Array.from({ length: count }, () => {
    const total = left.reduce((s, w) => s + w, 0);
    if (!(total > 0)) throw new LowpError('ERR_OP_INPUTS', `there are not ${count} classes with a probability`);
    let rest = next() * total;
    let found = left.findLastIndex((w) => w > 0);
    for (let i = 0; i < left.length; i++) {
      rest -= left[i]!;
      if (rest < 0) {
        found = i;
        break;
      }
    }
    if (!withReplacement) left[found] = 0;
    return found;
  });
}

/** Classes drawn by the probabilities of each row of input 0 (or their logarithms); input 1 is how many. */
const multinomial = defineOp({
  type: 'Multinomial',
  opset: 'opset13',
  attributes: z.object({ convert_type: elementType, with_replacement: bool, log_probs: bool, ...seeds }),
  inputs: [2, 2],
  stateful: true,
  infer: (a, inputs) => {
    const { shape } = inputFact(inputs, 0);
    requireRank(shape, 2, 2, 'the probabilities');
    return [{ type: a.convert_type, shape: [shape[0]!, knownIntegers(inputs[1])?.[0] ?? -1] }];
  },
  evaluate: (a, inputs) => {
    const [rows, classes] = inputs[0]!.shape as [number, number];
    const count = knownIntegers(factsOf(inputs)[1])![0]!;
    const values = toFloat64(inputs[0]!);
    const weights = a.log_probs ? values.map(Math.exp) : values;
    const stream = generator(a);
    const drawn = Array.from({ length: rows }, (_, r) =>
      draw(weights.subarray(r * classes, (r + 1) * classes), count, a.with_replacement, stream.next),
    );
    return [fromFloat64(Float64Array.from(drawn.flat()), [rows, count], a.convert_type)];
  },
});

export const randomOps = [randomUniform, multinomial];
