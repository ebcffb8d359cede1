/** The operations of a model, or of a body, through their exporters. */
import { LowpError } from '../../errors/lowp-error.ts';
import type { Model } from '../../graph/model.ts';
import type { Node } from '../../graph/node.ts';
import { evaluateNode } from '../../ops/evaluate-node.ts';
import { expandNode } from '../../ops/expand-node.ts';
import { findOp } from '../../ops/registry.ts';
import { writeForAnyRank } from './export/any-rank.ts';
import { type Exporter, ExportNode } from './export/export-node.ts';
import { extensionExporter } from './export/extension.ts';
import type { GraphWriter } from './export/graph-writer.ts';
import { exporters } from './export/index.ts';
import { repeatGrid } from './export/quantization.ts';
import { writtenGrids } from './export/written-grids.ts';

/** Types that are not nodes of an ONNX graph. */
const notNodes = new Set(['Parameter', 'Result', 'Constant']);

/** Adds the nodes of a model to a graph whose inputs are named already. */
export function exportOperations(model: Model, writer: GraphWriter): void {
  const activations = writtenGrids(model);
  for (const node of model.nodes()) {
    if (notNodes.has(node.type) || writer.isAbsorbed(node)) continue;
    const e = new ExportNode(node, writer, activations, exportOperations);
    writeForAnyRank(node, writer, () => {
      exporterOf(node)?.(e);
      repeatGrid(e);
    });
  }
}

function exporterOf(node: Node): Exporter | undefined {
  return extensionExporter(node) ?? exporters.get(node.type) ?? valueExporter(node);
}

/** Default boxes and the like, which follow from constants alone, are written as their values. */
function valueExporter(node: Node): Exporter | undefined {
  const definition = findOp(node.type, node.notes.opset);
  if (!definition?.evaluate || definition.stateful || definition.variable || definition.control) return undefined;
  const known = node.inputs.map((_, i) => node.source(i)?.fact.value);
  if (!known.some(Boolean) || known.some((v, i) => !v && node.source(i))) return undefined;
  return (e) => {
    for (const [i, value] of evaluateNode(node, known)!.entries())
      e.finish('Identity', [e.constant(value, `value_${i}`)], {}, [node.outputs[i]!]);
  };
}

function isUnknown(node: Node): boolean {
  return !notNodes.has(node.type) && !exporterOf(node);
}

/** Operations that ONNX does not have become those that their definitions name, where there are any. */
export function expandUnknown(model: Model): void {
  const expands = (node: Node): boolean => isUnknown(node) && !findOp(node.type, node.notes.opset)?.expandsToOwn;
  while (model.nodes().filter((node) => expands(node) && expandNode(model, node)).length > 0);
}

/**
 * Lists everything that cannot be written at once.
 *
 * @throws {LowpError} `ERR_FORMAT_UNSUPPORTED`
 */
export function refuseUnknown(models: readonly Model[]): void {
  const missing = new Map<string, string>();
  for (const node of models.flatMap((m) => m.nodes())) {
    if (isUnknown(node)) missing.set(node.type, missing.get(node.type) ?? node.name);
  }
  if (missing.size === 0) return;
  const list = [...missing].map(([type, name]) => `${type} (first '${name}')`).join(', ');
  throw new LowpError('ERR_FORMAT_UNSUPPORTED', `operations that cannot be written as ONNX: ${list}`, {
    help: 'Write an OpenVINO IR (.xml) instead.',
  });
}
