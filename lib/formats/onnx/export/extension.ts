/** Operations of users as nodes of the domain that they were read from. */
import * as z from 'zod';
import type { OpDef } from '../../../ops/define-op.ts';
import { findOp, isNumbered, ownSet } from '../../../ops/registry.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { AttributeValue } from '../build.ts';
import { bigints, type Exporter, type ExportNode } from './export-node.ts';

/** The exporter of a node whose operation a user registered; undefined for any other. */
export function extensionExporter(node: ExportNode['node']): Exporter | undefined {
  const definition = findOp(node.type, node.notes.opset);
  if (!definition || isNumbered(definition.opset) || definition.opset === ownSet) return undefined;
  return (e) => {
    const names = node.outputs.map((port) => e.writer.nameOf(port));
    const entries = Object.entries(node.attributes).filter(([, value]) => value !== undefined && value !== null);
    const attributes = Object.fromEntries(entries.map(([name, v]) => [name, attributeOf(e, definition, name, v)]));
    const { opset = definition.opset } = node.notes;
    const domain = isNumbered(opset) ? definition.opset : opset;
    e.writer.node(node.type, e.inputs(), names, attributes, node.name, domain);
  };
}

function attributeOf(e: ExportNode, definition: OpDef, name: string, value: unknown): AttributeValue {
  if (typeof value === 'boolean') return BigInt(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return takesFractions(e, definition, name, value + 0.5) ? value : BigInt(value);
  if (Array.isArray(value)) return listOf(e, definition, name, value);
  const tensor = tensorOf(value);
  if (tensor) return tensor;
  return e.unsupported(`its attribute '${name}' is no number, string, tensor or list of numbers or strings`);
}

function listOf(e: ExportNode, definition: OpDef, name: string, list: readonly unknown[]): AttributeValue {
  const strings = list.filter((v) => typeof v === 'string');
  if (strings.length === list.length && strings.length > 0) return strings;
  const numbers = list.filter((v) => typeof v === 'number');
  if (numbers.length < list.length) return e.unsupported(`its attribute '${name}' is a list of different things`);
  const fractions = numbers.map((v) => v + 0.5);
  return numbers.length > 0 && takesFractions(e, definition, name, fractions) ? numbers : bigints(numbers);
}

/** ONNX tells whole numbers from others, a schema does so by what it accepts. */
function takesFractions(e: ExportNode, definition: OpDef, name: string, value: unknown): boolean {
  return definition.attributes.safeParse({ ...e.node.attributes, [name]: value }).success;
}

function tensorOf(value: unknown): Tensor | undefined {
  const schema = z.custom<Tensor>(
    (v) => typeof v === 'object' && v !== null && 'type' in v && 'shape' in v && 'data' in v,
  );
  return schema.safeParse(value).data;
}
