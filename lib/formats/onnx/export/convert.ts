/** Convert as Cast, behind a Clip where a conversion saturates and a Cast keeps the lowest bits. */
import { integerRange } from '../../../tensor/convert.ts';
import { bitsOf, type ElementType, isFloat, isInteger } from '../../../tensor/element-type.ts';
import { isWritable, onnxTypeOf } from '../data-types.ts';
import { isWithin } from '../ranges.ts';
import type { ExporterTable, ExportNode } from './export-node.ts';

export const convertExporters: ExporterTable = {
  Convert: convert,
  ConvertLike: convert,
};

function convert(e: ExportNode): void {
  const { type } = e.node.output.fact;
  if (e.type() === type) {
    e.finish('Identity', [e.input(0)]);
    return;
  }
  if (!isWritable(type)) e.unsupported(`conversion to ${type}`);
  e.finish('Cast', [saturated(e, type)], { to: BigInt(onnxTypeOf(type)) });
}

/** The value inside of the range of the target. Floats beyond 16 bits have no limits that they could hold exactly. */
function saturated(e: ExportNode, type: ElementType): string {
  const from = e.type();
  const [low, high] = limitsOf(from, type);
  if ((low === undefined && high === undefined) || isWithin(e.port(0), type)) return e.input(0);
  // ONNX Runtime clips no integers of 16 bits.
  const wide = isInteger(from) && bitsOf(from) < 32 ? 'i32' : from;
  const limit = (value: number | undefined, name: string) => (value === undefined ? '' : e.scalar(wide, value, name));
  return e.step('Clip', [e.cast(e.input(0), from, wide, 'wide'), limit(low, 'low'), limit(high, 'high')], 'Clip');
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
