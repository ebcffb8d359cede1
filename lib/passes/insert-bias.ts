// Insert bias: every convolution gets an Add with a constant behind it, so that a correction has a place to go.
import { addConstant } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { takeOver } from '../graph/take-over.ts';
import { createNode } from '../ops/create-node.ts';
import { zeros } from '../tensor/tensor.ts';
import { definePass } from './pass.ts';

/** Operations that get a bias. A grouped convolution is a convolution with groups. */
const convolutions = new Set(['Convolution', 'GroupConvolution']);

/**
 * Adds zeros of shape `[1, C, 1, …]` behind each convolution whose output is not read by one Add with a constant only.
 *
 * @see OpenVINO POT, null biases
 */
export const insertBias = definePass({
  name: 'insert-bias',
  run(model) {
    let count = 0;
    for (const node of model.nodes()) {
      if (!convolutions.has(node.type) || hasBias(node)) continue;
      const { shape } = node.output.fact;
      const channels = shape[1];
      if (channels === undefined || channels < 0 || node.output.consumers.size === 0) continue;
      addZeros(model, node, channels);
      count++;
    }
    return count;
  },
});

function hasBias(node: Node): boolean {
  const [consumer, ...others] = node.output.consumers;
  if (!consumer || others.length > 0 || consumer.node.type !== 'Add') return false;
  return consumer.node.source(1 - consumer.index)?.node.type === 'Constant';
}

function addZeros(model: Model, node: Node, channels: number): void {
  const { type, shape } = node.output.fact;
  const bias = addConstant(
    model,
    `${node.name}/bias`,
    zeros(
      type,
      shape.map((_, i) => (i === 1 ? channels : 1)),
    ),
  );
  const add = createNode(model, { type: 'Add', name: `${node.name}/add_bias`, inputs: [node.output, bias.output] });
  takeOver(node.output, add.output);
}
