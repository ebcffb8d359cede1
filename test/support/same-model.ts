// Equality of models: nodes, attributes, links, facts, names and what formats keep, with the bytes of constants.
import assert from 'node:assert/strict';
import type { Model } from '../../lib/graph/model.ts';
import type { Node } from '../../lib/graph/node.ts';
import { printModel } from '../../lib/graph/print.ts';

/** Fails with the first difference. Node ids and the file path are not compared. */
export function assertSameModel(actual: Model, expected: Model): void {
  assert.equal(printModel(actual), printModel(expected));
  assert.deepEqual(actual.meta, expected.meta);
  assert.deepEqual(
    actual.parameters().map((n) => n.name),
    expected.parameters().map((n) => n.name),
  );
  assert.deepEqual(
    actual.results().map((n) => n.name),
    expected.results().map((n) => n.name),
  );
  const others = expected.nodes();
  for (const [i, node] of actual.nodes().entries()) assert.deepEqual(describe(node), describe(others[i]!));
}

function describe(node: Node): unknown {
  return {
    name: node.name,
    type: node.type,
    attributes: node.attributes,
    notes: node.notes,
    inputs: node.inputs.map((i) => i.source && [i.source.node.name, i.source.index]),
    outputs: node.outputs.map((o) => ({ names: o.names, type: o.fact.type, shape: o.fact.shape })),
  };
}
