// The evaluation of an operation that is defined by other operations.
import { Model } from '../graph/model.ts';
import type { OutputPort } from '../graph/node.ts';
import { convert } from '../tensor/convert.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { createNode } from './create-node.ts';
import { evaluateModel } from './evaluate-model.ts';
import { Expansion } from './expansion.ts';

/**
 * The values of the ports that `build` makes of the inputs. Floats are computed in f64, so that nothing is rounded in
 * between, and have the type of the first input in the end.
 */
export function evaluateExpansion(
  inputs: readonly (Tensor | undefined)[],
  build: (ports: readonly (OutputPort | undefined)[], expansion: Expansion) => readonly OutputPort[],
): Tensor[] {
  const model = new Model('expansion');
  const type = inputs[0]!.type;
  const wide = inputs.map((t) => t && (t.type === type ? convert(t, 'f64') : t));
  const ports = wide.map((t, i) => {
    if (!t) return undefined;
    const attributes = { element_type: t.type, shape: t.shape };
    return createNode(model, { type: 'Parameter', name: `input${i}`, attributes, inputs: [] }).output;
  });
  const outputs = build(ports, new Expansion(model, { name: 'operation' }));
  for (const [i, port] of outputs.entries()) createNode(model, { type: 'Result', name: `result${i}`, inputs: [port] });
  const feeds = wide.filter((t) => t !== undefined);
  return evaluateModel(model, feeds).map((t) => convert(t, type));
}
