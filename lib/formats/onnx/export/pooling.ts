/** MaxPool and AvgPool. */
import { isFloat } from '../../../tensor/element-type.ts';
import type { AttributeValue } from '../build.ts';
import { onnxTypeOf } from '../data-types.ts';
import { bigints, type ExporterTable, type ExportNode } from './export-node.ts';

export const poolingExporters: ExporterTable = { MaxPool: maxPool, AvgPool: averagePool };

function maxPool(e: ExportNode): void {
  const [values, indices] = e.node.outputs;
  const used = indices && indices.consumers.size > 0;
  if (used && (e.number('axis') !== 0 || indices.fact.type !== 'i64')) e.unsupported('indices of this form');
  e.finish('MaxPool', [e.input(0)], window(e), used ? [values!, indices] : [values!]);
}

/**
 * Without any padding the divisor is the part of the window inside the input, which ONNX calls not including it. ONNX has
 * averages of floats only.
 */
function averagePool(e: ExportNode): void {
  const padded = [...e.ints('pads_begin'), ...e.ints('pads_end')].some((p) => p > 0);
  const rule = e.text('auto_pad');
  const automatic = rule === 'same_upper' || rule === 'same_lower';
  const include = !e.flag('exclude-pad') && (padded || automatic);
  const attributes = { ...window(e), count_include_pad: include ? 1n : 0n };
  const type = e.type();
  if (isFloat(type)) {
    e.finish('AveragePool', [e.input(0)], attributes);
    return;
  }
  const average = e.step('AveragePool', [e.cast(e.input(0), type, 'f32', 'floats')], 'average', attributes);
  e.finish('Cast', [e.step('Round', [average], 'rounded')], { to: BigInt(onnxTypeOf(type)) });
}

function window(e: ExportNode): Record<string, AttributeValue> {
  const kernel = e.ints('kernel');
  const list = (name: string, fill: number) => {
    const values = e.ints(name);
    return values.length === 0 ? new Array<number>(kernel.length).fill(fill) : values;
  };
  const rule = e.text('auto_pad');
  const automatic = rule === 'same_upper' || rule === 'same_lower';
  const [begin, end] = [list('pads_begin', 0), list('pads_end', 0)];
  const [strides, dilations] = [list('strides', 1), list('dilations', 1)];
  const rounding = e.text('rounding_type');
  const reaches = kernel.map((k, i) => (k - 1) * dilations[i]! + 1);
  if (rounding === 'ceil' && reaches.some((r, i) => end[i]! + strides[i]! > r))
    checkCeil(e, reaches, strides, begin, end);
  return {
    kernel_shape: bigints(kernel),
    strides: bigints(strides),
    ...(dilations.some((d) => d !== 1) ? { dilations: bigints(dilations) } : {}),
    ...(automatic ? { auto_pad: rule.toUpperCase() } : {}),
    ...(automatic || rule === 'valid' ? {} : { pads: bigints([...begin, ...end]) }),
    ceil_mode: rounding === 'floor' ? 0n : 1n,
  };
}

/** ONNX drops a last window that starts behind the input; a model that has one cannot be written. */
function checkCeil(
  e: ExportNode,
  reaches: readonly number[],
  strides: readonly number[],
  begin: readonly number[],
  end: readonly number[],
): void {
  for (const [i, reach] of reaches.entries()) {
    const size = e.shape(0)[i + 2]!;
    if (size < 0) e.unsupported("rounding_type 'ceil' with dynamic sizes");
    const last = Math.ceil((size + begin[i]! + end[i]! - reach) / strides[i]!) * strides[i]!;
    if (last >= size + begin[i]!) e.unsupported("rounding_type 'ceil' with a window behind the input");
  }
}
