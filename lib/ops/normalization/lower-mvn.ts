// MVN over the last axes as a native kernel call, with the scale and shift of a layer normalization.
import type { Node } from '../../graph/node.ts';
import { elementCount } from '../../tensor/shape.ts';
import type { RuntimeTraits } from '../define-op.ts';
import type { LowerContext } from '../lower-context.ts';
import { storingParams } from '../quantization/grid.ts';

/** What is normalized: `(x − mean) / √(variance + eps)`, or `/ (√variance + eps)` with `outside`. */
export interface Normalization {
  readonly variance: boolean;
  readonly eps: number;
  readonly outside: boolean;
}

/** The axes are the last ones: rows are consecutive in memory. */
export function areLast(axes: readonly number[] | undefined, rank: number): boolean {
  return axes !== undefined && axes.length > 0 && axes.every((axis, i) => axis === rank - axes.length + i);
}

/** One value per column may follow when the columns are the last axis alone. */
export function mvnRuntime(axes: readonly number[] | undefined): RuntimeTraits {
  const epilogue = axes?.length === 1 ? 'normalize' : 'store';
  return { bytes: 'never', epilogue, storesBytes: true, storesBoth: true, channelAxis: -1 };
}

/** Emits the normalization over the last `axes.length` axes, as floats, bytes, or both. */
export function lowerMvn(node: Node, context: LowerContext, axes: readonly number[], n: Normalization): void {
  const { builder } = context;
  const { shape } = node.output.fact;
  const input = context.float(node, 0, 'plain');
  const { port, format, scale, bias, beside } = context.tail(node);
  const columns = elementCount(shape.slice(shape.length - axes.length));
  const gamma = scale ?? (bias && new Float32Array(columns).fill(1));
  const perColumn = (values: Float32Array): Float32Array =>
    values.length === columns ? values : new Float32Array(columns).fill(values[0]!);
  const stored = format ?? beside?.format;
  const out = format ? context.placeQuantized(port, 'plain', format) : context.placeFloat(port, 'plain');
  const bytes = beside ? [context.placeQuantized(beside.port, 'plain', beside.format).buffer] : [];
  builder.call(
    'layer_norm',
    {
      rows: elementCount(shape) / columns,
      columns,
      variance: n.variance ? 1 : 0,
      outside: n.outside ? 1 : 0,
      eps: n.eps,
      ...(stored ? storingParams(stored) : {}),
    },
    {
      name: node.name,
      in: [input, gamma && builder.constant('f32', perColumn(gamma)), bias && builder.constant('f32', perColumn(bias))],
      out: [out.buffer, ...bytes],
    },
  );
}
