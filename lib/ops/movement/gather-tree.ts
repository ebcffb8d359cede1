// GatherTree: full beams out of the steps of a beam search.
import { fromFloat64, toFloat64, toIntegers } from '../../tensor/convert.ts';
import { noAttributes } from '../attribute.ts';
import { defineOp } from '../define-op.ts';
import { commonType, inputFact, requireRank } from '../fact.ts';
import { positionOn } from './put.ts';

/**
 * Inputs: step ids and parents `[T, B, W]`, lengths `[B]`, end token. Every beam is followed from its last step back to
 * the first one through the parents; behind its first end token stand end tokens only.
 */
export const gatherTree = defineOp({
  type: 'GatherTree',
  opset: 'opset1',
  attributes: noAttributes,
  inputs: [4, 4],
  infer: (_, inputs) => {
    const [ids, parents] = [inputFact(inputs, 0), inputFact(inputs, 1)];
    requireRank(ids.shape, 3, 3, 'the step ids');
    requireRank(parents.shape, 3, 3, 'the parents');
    return [{ type: commonType(ids, parents), shape: ids.shape }];
  },
  evaluate: (_, [ids, parents, lengths, end]) => {
    const [steps, batch, width] = ids!.shape as [number, number, number];
    const [values, from] = [toFloat64(ids!), toIntegers(parents!)];
    const token = toFloat64(end!)[0]!;
    const out = new Float64Array(values.length).fill(token);
    for (const [b, length] of toIntegers(lengths!).entries()) {
      for (let beam = 0; beam < width; beam++) {
        let at = beam;
        const last = Math.min(steps, length) - 1;
        for (let t = last; t >= 0; t--) {
          const row = (t * batch + b) * width;
          out[row + beam] = values[row + at]!;
          at = positionOn(from[row + at]!, width);
        }
        let ended = false;
        for (let t = 0; t <= last; t++) {
          const place = (t * batch + b) * width + beam;
          if (ended) out[place] = token;
          else ended = out[place] === token;
        }
      }
    }
    return [fromFloat64(out, ids!.shape, ids!.type)];
  },
});
