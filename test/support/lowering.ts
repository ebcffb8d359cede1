// Lowering a test model without the passes around it.
import type { Model } from '../../lib/graph/model.ts';
import type { Node, OutputPort } from '../../lib/graph/node.ts';
import { type Lowered, lower } from '../../lib/lowering/lower.ts';
import type { ObservedPort } from '../../lib/lowering/observe.ts';
import { constantNodes } from '../../lib/lowering/partition.ts';
import { kernelParams } from '../../lib/program/kernels.gen.ts';
import type { Call, Program } from '../../lib/program/program.ts';

/** The nodes that compute something at run time, producers first. */
export function computedNodes(model: Model): Node[] {
  const constants = constantNodes(model);
  const isFixed = (n: Node): boolean => constants.has(n) || n.type === 'Parameter' || n.type === 'Result';
  return model.nodes().filter((n) => !isFixed(n));
}

/** Values that results read. */
export function resultPorts(model: Model): OutputPort[] {
  return [...new Set(model.results().map((r) => r.source(0)!))];
}

/** One program for the whole model. */
export function lowerModel(model: Model, observe: readonly ObservedPort[] = []): Lowered {
  const inputs = model.parameters().map((p) => p.output);
  return lower({ nodes: computedNodes(model), inputs, outputs: resultPorts(model), observe });
}

/** Kernels in order. */
export function kernelsOf(program: Program): string[] {
  return program.calls.map((c) => c.kernel);
}

/** Params of a call that are not 0, by name. */
export function paramsOf(call: Call): Record<string, number> {
  const fields: readonly (readonly [string, string])[] = Object.entries(kernelParams).find(
    ([k]) => k === call.kernel,
  )![1];
  const view = new DataView(call.params.buffer, call.params.byteOffset);
  const read = (at: number, kind: string): number =>
    kind === 'f' ? view.getFloat32(at, true) : kind === 'i' ? view.getInt32(at, true) : view.getUint32(at, true);
  const pairs = fields.map(([name, kind], i) => [name, read(4 * i, kind)] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== 0));
}
