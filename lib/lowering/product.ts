// Emits convolutions and matrix products: weights, zero points, and everything fused behind them.
import { invariant } from '../errors/assert.ts';
import type { Node } from '../graph/node.ts';
import type { MultiplyAccumulate, QuantFormat } from '../ops/lower-context.ts';
import { getOp } from '../ops/registry.ts';
import type { BufferId } from '../program/program.ts';
import { toFloat32 } from '../tensor/convert.ts';
import { type EpilogueInput, epilogueOf } from './epilogue.ts';
import type { Chain } from './fuse-post-ops.ts';
import { evaluatePort, type QuantizedWeights } from './int8/weights.ts';
import type { Lowering } from './lower.ts';

interface Operands {
  readonly x: BufferId;
  readonly xStride: number;
  readonly weights: BufferId;
  /** What the integer accumulators mean; absent for floats. */
  readonly accumulator?: Pick<EpilogueInput, 'accumulatorScale' | 'accumulatorBias'>;
  readonly zeroPoint: number;
  /** Real zero less `zeroPoint`. */
  readonly zeroOffset: number;
  readonly zeroPoints?: BufferId;
}

/**
 * Emits the call of a product with constant weights, and stores the end of its chain: bytes when the chain ends in a
 * rounding, else floats.
 */
export function lowerProduct(lowering: Lowering, node: Node, chain: Chain, product: MultiplyAccumulate): void {
  const { builder } = lowering;
  const operands = operandsOf(lowering, node, product);
  const residual = residualOf(lowering, chain, product);
  const epilogue = epilogueOf({
    channels: product.channels,
    steps: chain.steps,
    ...operands.accumulator,
    ...(residual?.format ? { residual: residual.format } : {}),
  });
  const last = chain.steps.at(-1);
  const stored = last?.kind === 'quantize' ? last.format : undefined;
  const place = stored
    ? lowering.placeQuantized(chain.port, product.layout, stored, { strided: true })
    : lowering.placeFloat(chain.port, product.layout, { strided: true });
  const onFloats = operands.accumulator === undefined;
  const { kernel, params } = (onFloats ? product.onFloats : undefined) ?? product;
  builder.call(
    kernel,
    {
      ...params,
      ...epilogue.params,
      inStride: operands.xStride,
      ...(onFloats ? {} : { inZeroPoint: operands.zeroPoint }),
      ...(!onFloats && product.takesZeroOffset ? { inZeroOffset: operands.zeroOffset } : {}),
      outStride: product.layout === 'plain' ? product.channels : place.stride,
      outOffset: place.offset,
    },
    {
      name: node.name,
      in: [
        operands.x,
        operands.weights,
        epilogue.bias && builder.constant('f32', epilogue.bias),
        epilogue.scale && builder.constant('f32', epilogue.scale),
        residual?.buffer,
        epilogue.bounds && builder.constant('u8', epilogue.bounds),
        ...(operands.zeroPoints === undefined ? [] : [operands.zeroPoints]),
      ],
      out: [place.buffer],
    },
  );
}

function operandsOf(lowering: Lowering, node: Node, product: MultiplyAccumulate): Operands {
  const { builder } = lowering;
  const quantized = lowering.quantized(node, 0, product.layout, { strided: product.kernel !== 'matmul' });
  const port = getOp(node.type, node.notes.opset).quantization?.weights?.port ?? 1;
  if (!quantized) {
    const weights = toFloat32(evaluatePort(node.source(port)!));
    return {
      x: lowering.float(node, 0, product.layout),
      xStride: product.inputChannels,
      weights: builder.constant('f32', weights),
      zeroPoint: 0,
      zeroOffset: 0,
    };
  }
  const weights = lowering.plan.weights.get(node);
  invariant(weights, `${node.name} has no 8-bit weights`);
  const { zero, zeroPoint } = quantized.format;
  const perChannel = zeroPoint.length > 1;
  return {
    x: quantized.buffer,
    xStride: product.layout === 'plain' ? product.inputChannels : quantized.stride,
    weights: builder.constant('i8', weights.values),
    accumulator: accumulatorOf(quantized.format, weights),
    zeroPoint: perChannel ? 0 : zeroPoint[0]!,
    zeroOffset: perChannel ? 0 : zero[0]! - zeroPoint[0]!,
    ...(perChannel ? { zeroPoints: builder.constant('u8', zeroPoint) } : {}),
  };
}

/**
 * `Σ s · (q − zero) · w = s · acc + s · (zeroPoint − zero) · Σ w` with `acc = Σ (q − zeroPoint) · w`. Taps on padding have
 * no such second term: kernels that take a zero offset leave it out there, in depthwise and transposed convolutions it
 * is wrong by less than 0.05 steps of the input.
 */
function accumulatorOf({ scale, zero, zeroPoint }: QuantFormat, weights: QuantizedWeights) {
  const at = (c: number): number => (scale.length === 1 ? 0 : c);
  const accumulatorScale = Float64Array.from(weights.scale, (s, c) => s * scale[at(c)]!);
  if (zero.every((z, i) => z === zeroPoint[i])) return { accumulatorScale };
  const accumulatorBias = accumulatorScale.map((s, c) => s * (zeroPoint[at(c)]! - zero[at(c)]!) * weights.sums[c]!);
  return { accumulatorScale, accumulatorBias };
}

/** The other input of a fused sum, as bytes when it exists as bytes with one scale, else as floats. */
function residualOf(
  lowering: Lowering,
  chain: Chain,
  product: MultiplyAccumulate,
): { readonly buffer: BufferId; readonly format?: QuantFormat } | undefined {
  const add = chain.steps.find((s) => s.kind === 'add');
  if (!add) return undefined;
  const onBytes = lowering.plan.precision.get(chain.anchor)!.bytes;
  const form = onBytes ? lowering.values.bytes(add.other, product.layout, false) : undefined;
  if (form?.format && form.format.scale.length === 1) return { buffer: form.buffer, format: form.format };
  return { buffer: lowering.values.float(add.other, product.layout) };
}
