/** Export of a node that touches values of unknown rank: it is written for each rank, and all must be written alike. */
import type { Node } from '../../../graph/node.ts';
import { agreedRanks, withRanks } from '../../../ops/any-rank.ts';
import { getOp } from '../../../ops/registry.ts';
import { hasRank } from '../../../tensor/shape.ts';
import type { GraphWriter } from './graph-writer.ts';

/**
 * Runs `write` for a node. With inputs of unknown rank it adds what it adds for all ranks alike; bodies are handed them as
 * they are.
 *
 * @throws {LowpError} as {@link agreedRanks}
 */
export function writeForAnyRank(node: Node, writer: GraphWriter, write: () => void): void {
  const definition = getOp(node.type, node.notes.opset, node.name);
  const sources = [...new Set(node.inputs.flatMap((i) => i.source ?? []))];
  const open = sources.filter((port) => !hasRank(port.fact.shape));
  if (open.length === 0 || definition.control) {
    write();
    return;
  }
  const writeFor = (ranks: readonly number[]): void =>
    withRanks(open, ranks, () => {
      const facts = node.outputs.map((port) => port.fact);
      const inputs = node.inputs.map((i) => i.source?.fact);
      for (const [i, fact] of definition.infer(node.attributes, inputs).entries()) {
        const port = node.outputs[i];
        if (port) port.fact = fact;
      }
      try {
        write();
      } finally {
        for (const [i, port] of node.outputs.entries()) port.fact = facts[i]!;
      }
    });
  writeFor(agreedRanks(node.name, open.length, (ranks) => writer.attempt(() => writeFor(ranks))));
}
