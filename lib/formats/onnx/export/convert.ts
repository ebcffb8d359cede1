/** Convert as Cast, behind a Clip where a conversion saturates and a Cast keeps the lowest bits. */
import { integerRange } from '../../../tensor/convert.ts';
import { bitsOf, type ElementType, isFloat, isInteger } from '../../../tensor/element-type.ts';
import { isMinifloat } from '../../../tensor/minifloat.ts';
import { onnxTypeOf } from '../data-types.ts';
import { isWithin } from '../ranges.ts';
import type { ExporterTable, ExportNode } from './export-node.ts';

export const convertExporters: ExporterTable = {
  Convert: (e) => convert(e, 0),
  ConvertLike: (e) => convert(e, 0),
  ConvertPromoteTypes: (e) => {
    convert(e, 0);
    convert(e, 1);
  },
};

/** Input `index` in the type of output `index`. */
function convert(e: ExportNode, index: number): void {
  const port = e.node.outputs[index]!;
  const { type } = port.fact;
  if (e.type(index) === type) {
    e.finish('Identity', [e.input(index)], {}, [port]);
    return;
  }
  if (bitsOf(type) < 8) e.unsupported(`conversion to ${type}`);
  // Limits of floats of eight bits are operations of the model.
  const saturate = isMinifloat(type) ? { saturate: 0n } : {};
  e.finish('Cast', [saturated(e, index, type)], { to: BigInt(onnxTypeOf(type)), ...saturate }, [port]);
}

/** The value inside of the range of the target. Floats beyond 16 bits have no limits that they could hold exactly. */
function saturated(e: ExportNode, index: number, type: ElementType): string {
  const from = e.type(index);
  const [low, high] = limitsOf(from, type);
  if ((low === undefined && high === undefined) || isWithin(e.port(index), type)) return e.input(index);
  // ONNX Runtime clips no integers of 16 bits.
  const wide = isInteger(from) && bitsOf(from) < 32 ? 'i32' : from;
  const limit = (value: number | undefined, name: string) => (value === undefined ? '' : e.scalar(wide, value, name));
  const x = e.cast(e.input(index), from, wide, `wide_${index}`);
  return e.step('Clip', [x, limit(low, `low_${index}`), limit(high, `high_${index}`)], `Clip_${index}`);
}

/** Both limits of `to`, inside of the range of `from`, when values of `from` exceed one; 64 bits saturate below zero only. */
function limitsOf(from: ElementType, to: ElementType): readonly [number | undefined, number | undefined] {
  const none = [undefined, undefined] as const;
  if (!isInteger(to)) return none;
  if (isFloat(from)) return bitsOf(to) <= 16 ? integerRange(to)! : none;
  if (!isInteger(from)) return none;
  const [least, most] = integerRange(from) ?? (from === 'u64' ? [0, 2 ** 64] : [-(2 ** 63), 2 ** 63]);
  const range = integerRange(to);
  if (!range) return [to === 'u64' && least < 0 ? 0 : undefined, undefined];
  if (range[0] <= least && most <= range[1]) return none;
  return [Math.max(least, range[0]), Math.min(most, range[1])];
}
