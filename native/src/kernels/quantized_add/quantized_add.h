// Kernel `quantized_add`: the sum of two u8 tensors of different scales, as u8 codes or f32 values.
//
//   v = fma(float(a), scale_a, fma(float(b), scale_b, bias))
//   u8:  y = min(max(q, low), high), q = round_even(v) saturated to [0, 255], NaN gives 0
//   f32: y = min(max(v, float_low), float_high), max(v, l) = v > l ? v : l, min(v, h) = v < h ? v : h
//
// The zero points of a, b and y are in bias. in 0 a u8[elements], in 1 b u8[elements]; out 0 y u8 or f32 [elements];
// a u8 y may be a itself. All rows are bit-equal.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_QUANTIZED_ADD_PARAMS(F) \
  F(u32, elements)                   \
  F(u32, low) F(u32, high) F(f32, scale_a) F(f32, scale_b) F(f32, bias) F(f32, float_low) F(f32, float_high)
LOWP_PARAMS(QuantizedAddParams, LOWP_QUANTIZED_ADD_PARAMS)

extern const KernelDef kernel_quantized_add;

}  // namespace lowp
