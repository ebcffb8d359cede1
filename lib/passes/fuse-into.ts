// One operation in the place of the small ones that exporters write for it.
import { addNode } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node, OutputPort } from '../graph/node.ts';
import { takeOver } from '../graph/take-over.ts';

/** The operation that computes what the small ones compute. */
export interface Fused {
  readonly type: string;
  readonly opset: string;
  readonly inputs: readonly OutputPort[];
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** An operation called `<node>/<type>` takes over the output of `node`, the last of the small ones. Returns true. */
export function fuseInto(model: Model, node: Node, { type, opset, inputs, attributes = {} }: Fused): true {
  const fused = addNode(model, {
    type,
    name: `${node.name}/${type}`,
    attributes,
    inputs,
    outputs: [node.output.fact],
    notes: { opset },
  });
  takeOver(node.output, fused.output);
  return true;
}
