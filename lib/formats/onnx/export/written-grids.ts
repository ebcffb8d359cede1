/** The 8-bit grids of a model's activations, and the integer type in which they are written. */
import type { Model } from '../../../graph/model.ts';
import { type ActivationGrids, activationGrids } from '../../../ops/quantization/activation-grids.ts';

export interface WrittenGrids extends ActivationGrids {
  /**
   * Integer type of the grids of whole tensors: `i8` when zero is in the middle of every grid and none is per channel,
   * else `u8` for all of them, because runtimes compute in integers only where operands and result have one type. Grids
   * per channel are always `i8`: ONNX Runtime takes any DequantizeLinear and QuantizeLinear of one type around an
   * operation together, and then refuses the model because of a scale that is not one number.
   */
  readonly wholeType: 'i8' | 'u8';
}

export function writtenGrids(model: Model): WrittenGrids {
  const grids = activationGrids(model);
  const isCentred = [...grids.pairs.values()].every((p) => p.axis === undefined && p.zeroPoint[0] === 128);
  return { ...grids, wholeType: isCentred ? 'i8' : 'u8' };
}
