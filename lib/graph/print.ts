// Models as text, for messages and tests.
import { toFloat64 } from '../tensor/convert.ts';
import { elementCount, formatShape } from '../tensor/shape.ts';
import { toStrings } from '../tensor/strings.ts';
import type { Model } from './model.ts';
import type { OutputPort } from './node.ts';
import { SubGraph, subGraphsOf } from './sub-graph.ts';

/** Stable text of a model, one node a line, for people and golden tests. Large constants show type and shape only. */
export function printModel(model: Model): string {
  const lines = [`model ${model.name}`];
  for (const node of model.nodes()) {
    const inputs = node.inputs.map((i) => (i.source ? reference(i.source) : '-')).join(', ');
    const outputs = node.outputs.map((o) => `${o.fact.type}${formatShape(o.fact.shape)}`).join(', ');
    const attributes = Object.entries(node.attributes)
      .filter(([key, value]) => key !== 'value' && !(value instanceof SubGraph))
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .join(' ');
    const value = node.type === 'Constant' ? constantText(node.output) : '';
    lines.push(`  ${node.name} = ${node.type}(${inputs})${attributes ? ` {${attributes}}` : ''} : ${outputs}${value}`);
    for (const { body } of subGraphsOf(node)) {
      const [head, ...rest] = printModel(body).trimEnd().split('\n');
      lines.push(`    ${head!.replace('model', 'body')}`, ...rest.map((line) => `    ${line}`));
    }
  }
  return `${lines.join('\n')}\n`;
}

function reference(port: OutputPort): string {
  return port.node.outputs.length > 1 ? `${port.node.name}.${port.index}` : port.node.name;
}

function constantText(port: OutputPort): string {
  const value = port.fact.value;
  if (!value || elementCount(value.shape) > 8) return '';
  if (value.type === 'string')
    return ` = ${toStrings(value)
      .map((v) => JSON.stringify(v))
      .join(',')}`;
  const isWide = value.data instanceof BigInt64Array || value.data instanceof BigUint64Array;
  return ` = ${Array.from<number | bigint, string>(isWide ? value.data : toFloat64(value), String).join(',')}`;
}
