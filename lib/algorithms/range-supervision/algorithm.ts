// Range supervision: activations are clamped to what they were seen to be, so that a flipped bit in memory cannot spread.
import type { OutputPort } from '../../graph/node.ts';
import { takeOver } from '../../graph/take-over.ts';
import { createNode } from '../../ops/create-node.ts';
import type { StatisticRequest } from '../../statistics/request.ts';
import { isFloat } from '../../tensor/element-type.ts';
import { type Algorithm, originalPort } from '../algorithm.ts';

/** Activation functions behind which a clamp is put. */
const activationTypes = new Set(['ReLU', 'Swish', 'PReLU', 'Elu', 'Gelu', 'Sigmoid', 'Tanh']);

interface SupervisedPort {
  readonly port: OutputPort;
  readonly min: StatisticRequest;
  readonly max: StatisticRequest;
}

/**
 * The algorithm for one run: a `Clamp` to the smallest and the largest value of all samples behind every activation
 * function, in front of everything that reads it. It can stand alone or in front of quantization.
 *
 * @see OpenVINO POT, RangeSupervision
 */
export function createRangeSupervision(): Algorithm {
  let supervised: SupervisedPort[] = [];
  return {
    name: 'RangeSupervision',
    changesOriginal: true,
    request: (context) => {
      const nodes = context.work.nodes().filter((n) => activationTypes.has(n.type) && isFloat(n.output.fact.type));
      supervised = nodes.map(({ output }) => {
        const place = { port: originalPort(output, context), granularity: 'perTensor' } as const;
        const min = { ...place, statistic: { kind: 'min' }, aggregator: 'min' } as const;
        const max = { ...place, statistic: { kind: 'max' }, aggregator: 'max' } as const;
        return { port: output, min, max };
      });
      return supervised.flatMap((s) => [s.min, s.max]);
    },
    apply: async ({ work }, statistics) => {
      for (const { port, min, max } of supervised) {
        const clamp = createNode(work, {
          type: 'Clamp',
          name: `${port.node.name}/min_max_Clamp`,
          attributes: { min: statistics.get(min)[0]!, max: statistics.get(max)[0]! },
          inputs: [port],
        });
        takeOver(port, clamp.output);
      }
    },
  };
}
