// Fold constants: nodes that depend on constants only become constants.
import { addConstant, removeNode, rename } from '../graph/edit.ts';
import type { Model } from '../graph/model.ts';
import type { Node } from '../graph/node.ts';
import { takeOver } from '../graph/take-over.ts';
import { evaluateNode } from '../ops/evaluate-node.ts';
import { getOp } from '../ops/registry.ts';
import { isQuantizedStorage } from '../ops/storage/half-precision.ts';
import { byteLengthOf, isFloat } from '../tensor/element-type.ts';
import { isStatic, spannedElements } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { definePass, type Pass } from './pass.ts';

/** What is folded. */
export interface FoldOptions {
  /** Also quantized weights: FakeQuantize, and stored integers with their dequantization. Default false. */
  readonly quantized?: boolean;
  /** Largest output in bytes; default 64 MB. */
  readonly limitBytes?: number;
}

/**
 * A pass that evaluates every operation whose inputs are known and puts constants in the place of its outputs.
 *
 * Left alone: what reads or writes variables, outputs above the limit, constants stored in half precision behind a
 * Convert marked as decompression, and, unless asked for, quantized weights with everything behind them.
 */
export function foldConstants(options: FoldOptions = {}): Pass {
  const limit = options.limitBytes ?? 64 * 2 ** 20;
  return definePass({
    name: 'fold-constants',
    run(model) {
      const kept = new Set<Node>();
      let count = 0;
      for (const node of model.nodes()) {
        if (node.type === 'Constant' || node.type === 'Parameter' || node.type === 'Result') continue;
        if (isKept(node, options.quantized === true) || node.inputs.some((i) => i.source && kept.has(i.source.node))) {
          kept.add(node);
          continue;
        }
        const values = knownOutputs(node, limit);
        if (!values) continue;
        replaceByConstants(model, node, values);
        count++;
      }
      return count;
    },
  });
}

/** Nodes that say how weights are stored; folding them would lose it. */
function isKept(node: Node, quantized: boolean): boolean {
  if (node.type === 'FakeQuantize') return !quantized;
  if (node.type !== 'Convert') return false;
  if (node.notes.rtInfo?.some((a) => a.name === 'decompression')) return true;
  const from = node.source(0);
  if (quantized || from?.node.type !== 'Constant') return false;
  return isQuantizedStorage(from.fact.type) && isFloat(node.output.fact.type);
}

/** All outputs of the node when they can be computed now. */
function knownOutputs(node: Node, limit: number): readonly Tensor[] | undefined {
  const definition = getOp(node.type, node.notes.opset, node.name);
  if (definition.stateful || node.outputs.length === 0) return undefined;
  const known = node.outputs.map((o) => o.fact.value);
  if (known.every((v) => v !== undefined)) return known;
  const inputs = node.inputs.map((i) => i.source?.fact.value);
  if (inputs.length === 0 || node.inputs.some((input, i) => input.source && !inputs[i])) return undefined;
  const bytes = node.outputs.map(({ fact }) =>
    isStatic(fact.shape) ? byteLengthOf(fact.type, spannedElements(fact.shape)) : Number.POSITIVE_INFINITY,
  );
  if (bytes.some((b) => b > limit)) return undefined;
  return evaluateNode(node, inputs);
}

function replaceByConstants(model: Model, node: Node, values: readonly Tensor[]): void {
  const { name, outputs } = node;
  for (const out of outputs) {
    if (out.consumers.size === 0) continue;
    const suffix = outputs.length > 1 ? `.${out.index}` : '';
    const constant = addConstant(model, `${name}${suffix}`, values[out.index]!);
    takeOver(out, constant.output);
    if (outputs.length > 1) continue;
    rename(model, node, `${name}/folded`);
    rename(model, constant, name);
  }
  removeNode(model, node);
}
