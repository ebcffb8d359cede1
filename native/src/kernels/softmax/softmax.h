// Kernel `softmax`: y = exp(x - max) / sum along one dimension, as f32 or as bytes.
//
// in 0 x f32 [outer, axis, inner], out 0 y alike: f32, which may be x itself, or, with inner 1, u8.
//
//   max  over the axis, NaN left out
//   e_i  = normal(exp(x_i - max)), the exp of simd/elementary.h; normal(v) is 0 for v < 2^-126: CPUs take a hundred
//        times as long for products with smaller floats, which masks of -100 give
//   sum  16 partial sums, s[i mod 16] += e_i in order of i from 0; then s[j] += s[j + 8] for j < 8, s[j] += s[j + 4]
//        for j < 4, s[j] += s[j + 2] for j < 2, and s[0] + s[1]
//   y_i  = normal(e_i / sum)
//   u8   round_even(fma(y_i, inv_scale, shift)) saturated to [0, 255], NaN gives 0; then at least byte_low, at most
//        byte_high
//
// A NaN, an Inf or nothing but -Inf along the axis makes all of it NaN. inner == 1 is the fast case. All rows are
// bit-equal but for the payload of NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_SOFTMAX_PARAMS(F) \
  F(u32, outer) F(u32, axis) F(u32, inner) F(u32, byte_low) F(u32, byte_high) F(f32, inv_scale) F(f32, shift)
LOWP_PARAMS(SoftmaxParams, LOWP_SOFTMAX_PARAMS)

extern const KernelDef kernel_softmax;

}  // namespace lowp
