/** Reductions. */
import { isFloat } from '../../../tensor/element-type.ts';
import { normalizeAxis } from '../../../tensor/shape.ts';
import { onnxTypeOf } from '../data-types.ts';
import { bigints, type ExporterTable, type ExportNode } from './export-node.ts';
import { castTo } from './steps.ts';

/** In opset 17 the axes are an attribute, of ReduceSum an input. */
const types = ['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1', 'ReduceL2'] as const;

export const reductionExporters: ExporterTable = {
  ...Object.fromEntries(types.map((type) => [type, (e: ExportNode) => reduce(e, type)])),
  ReduceSum: (e) => reduce(e, 'ReduceSum'),
  ReduceLogicalAnd: (e) => reduceLogical(e, 'ReduceMin'),
  ReduceLogicalOr: (e) => reduceLogical(e, 'ReduceMax'),
};

function reduce(e: ExportNode, type: string): void {
  const rank = e.shape(0).length;
  const axes = e.knownInts(1, 'axes').map((a) => normalizeAxis(a, rank));
  if (axes.length === 0) {
    e.finish('Identity', [e.input(0)]);
    return;
  }
  if (type === 'ReduceMean' && isGlobalPooling(e, axes)) {
    e.finish('GlobalAveragePool', [e.input(0)]);
    return;
  }
  const keepdims = e.flag('keep_dims') ? 1n : 0n;
  if (type === 'ReduceSum') {
    e.finish(type, [e.input(0), e.int64s(axes, 'axes')], { keepdims });
    return;
  }
  e.finish(type, [e.input(0)], { axes: bigints(axes), keepdims });
}

/** Truth values have no reductions in ONNX: the least and the largest of 0 and 1. */
function reduceLogical(e: ExportNode, type: string): void {
  const axes = e.knownInts(1, 'axes').map((a) => normalizeAxis(a, e.shape(0).length));
  const numbers = castTo(e, e.input(0), 'i32', 'numbers');
  const attributes = { axes: bigints(axes), keepdims: e.flag('keep_dims') ? 1n : 0n };
  const reduced = axes.length === 0 ? numbers : e.step(type, [numbers], 'reduced', attributes);
  e.finish('Cast', [reduced], { to: BigInt(onnxTypeOf('boolean')) });
}

/** The mean over all spatial axes, which stay: runtimes have it on bytes under that name. */
function isGlobalPooling(e: ExportNode, axes: readonly number[]): boolean {
  const rank = e.shape(0).length;
  const spatial = new Set(axes.filter((a) => a >= 2));
  return isFloat(e.type()) && e.flag('keep_dims') && rank > 2 && spatial.size === rank - 2 && axes.every((a) => a >= 2);
}
