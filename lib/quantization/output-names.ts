// Outputs of the model keep their names when a quantizer stands in front of them.
import { rename } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { quantizedSource } from './insert.ts';
import { consumersOf, isConstant } from './roles.ts';

const suffix = '/pre_fq_input';

/**
 * A quantizer that a `Result` reads takes the name and the tensor names of what it rounds; the producer becomes
 * `<name>/pre_fq_input`. Inputs of the model keep their own names.
 */
export function takeOutputName(model: Model, quantizer: Node): void {
  const source = quantizedSource(quantizer);
  const producer = source.node;
  if (producer.type === 'Parameter' || isConstant(source)) return;
  if (!consumersOf(quantizer).some((c) => c.node.type === 'Result')) return;
  const isRenamed = producer.name.endsWith(suffix);
  const name = isRenamed ? producer.name.slice(0, -suffix.length) : producer.name;
  if (!isRenamed) rename(model, producer, `${name}${suffix}`);
  rename(model, quantizer, producer.outputs.length > 1 ? `${name}.${source.index}` : name);
  quantizer.output.names = source.names;
  source.names = [];
}

/** Gives the names back before the quantizer is removed. Returns false when it has none to give back. */
export function returnOutputName(model: Model, quantizer: Node): boolean {
  const source = quantizedSource(quantizer);
  const { name } = source.node;
  const original = name.slice(0, -suffix.length);
  const hasTaken = quantizer.name === original || quantizer.name === `${original}.${source.index}`;
  if (!name.endsWith(suffix) || !hasTaken) return false;
  source.names = [...new Set([...source.names, ...quantizer.output.names])];
  quantizer.output.names = [];
  rename(model, quantizer, `${name}/removed`);
  const others = consumersOf(source.node).filter((c) => c.node !== quantizer && c.node.name.startsWith(`${original}.`));
  if (others.length === 0) rename(model, source.node, original);
  return true;
}
