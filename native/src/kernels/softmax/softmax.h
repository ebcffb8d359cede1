// Kernel `softmax`: y = exp(x - max) / sum along one dimension, f32.
//
// in 0 x f32 [outer, axis, inner], out 0 y f32 alike, which may be x itself.
//
//   max  over the axis, NaN left out
//   e_i  = exp(x_i - max), the exp of simd/elementary.h
//   sum  16 partial sums, s[i mod 16] += e_i in order of i from 0; then s[j] += s[j + 8] for j < 8, s[j] += s[j + 4]
//        for j < 4, s[j] += s[j + 2] for j < 2, and s[0] + s[1]
//   y_i  = e_i / sum
//
// A NaN, an Inf or nothing but -Inf along the axis makes all of it NaN. inner == 1 is the fast case. All rows are
// bit-equal but for the payload of NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_SOFTMAX_PARAMS(F) F(u32, outer) F(u32, axis) F(u32, inner)
LOWP_PARAMS(SoftmaxParams, LOWP_SOFTMAX_PARAMS)

extern const KernelDef kernel_softmax;

}  // namespace lowp
