// A quantized model cut into layers, so that each can be fed with the same values whatever the layers in front of it give.
import { stepsOf } from '../../bench/fidelity/distances.ts';
import { connect, removeNode } from '../../lib/graph/edit.ts';
import { inputName, type Model } from '../../lib/graph/model.ts';
import type { Node } from '../../lib/graph/node.ts';
import { createNode } from '../../lib/ops/index.ts';
import { convert, toFloat64 } from '../../lib/tensor/convert.ts';
import type { Tensor } from '../../lib/tensor/tensor.ts';

/**
 * Every quantizer becomes an output `after i`, and its readers get the same quantizer behind an input of its own.
 *
 * @param values  what the quantizers give: rounding it once more changes nothing
 * @returns       the new inputs
 */
export function cutAtQuantizers(
  model: Model,
  quantizers: readonly Node[],
  values: readonly Tensor[],
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const result of [...model.results()]) removeNode(model, result);
  for (const [i, node] of quantizers.entries()) {
    const { type } = node.source(0)!.fact;
    const parameter = createNode(model, {
      type: 'Parameter',
      name: `before ${i}`,
      attributes: { element_type: type, shape: values[i]!.shape },
      inputs: [],
    });
    const inputs = [parameter.output, ...[1, 2, 3, 4].map((k) => node.source(k))];
    const readers = [...node.output.consumers];
    const copy = createNode(model, { type: node.type, name: `copy ${i}`, attributes: node.attributes, inputs });
    for (const reader of readers) connect(reader, copy.output);
    node.output.names = [`after ${i}`];
    createNode(model, { type: 'Result', name: `result ${i}`, inputs: [node.output] });
    feeds[inputName(parameter)] = convert(values[i]!, type);
  }
  return feeds;
}

/** Distances in whole steps of the quantizer's grid: what is less comes from half precision between layers. */
export function differenceInSteps(node: Node, actual: Tensor, expected: Tensor): Float64Array {
  const [a, b] = [toFloat64(actual), toFloat64(expected)];
  const step = stepsOf(node);
  return a.map((v, i) => Math.round(Math.abs(v - b[i]!) / step(i)));
}
