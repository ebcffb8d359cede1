// Element types that lowp holds and an IR does not.
import { LowpError } from '../../errors/lowp-error.ts';
import { setConstant } from '../../graph/edit.ts';
import type { Model } from '../../graph/model.ts';
import type { Node } from '../../graph/node.ts';
import { convert } from '../../tensor/convert.ts';
import type { ElementType } from '../../tensor/element-type.ts';

/** Types of the IR that hold every number of a type that it does not have. */
const wider: Partial<Record<ElementType, ElementType>> = { i2: 'i4', f8e4m3fnuz: 'f16', f8e5m2fnuz: 'f16' };

/** Gives constants of such types the wider one, where nothing but Convert reads them. */
export function widenForeignConstants(model: Model): void {
  for (const node of model.nodeById.values()) {
    const value = node.type === 'Constant' ? node.output.fact.value : undefined;
    const type = value && wider[value.type];
    if (!type || [...node.output.consumers].some((c) => c.node.type !== 'Convert')) continue;
    setConstant(node, convert(value, type));
  }
}

/** @throws {LowpError} `ERR_FORMAT_UNSUPPORTED` for a node with an output of such a type */
export function refuseForeignTypes(node: Node): void {
  const foreign = node.outputs.find(({ fact }) => wider[fact.type] !== undefined);
  if (!foreign) return;
  const { type } = foreign.fact;
  throw new LowpError('ERR_FORMAT_UNSUPPORTED', `${node.type} '${node.name}' has the type ${type}, which no IR has`, {
    node: node.name,
    help: `Convert to ${wider[type]}, or write an ONNX file.`,
  });
}
