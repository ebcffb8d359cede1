// Kernel `eltwise`: y = min(max(op(a, b), low), high) on f32 with broadcasting over four dimensions.
//
//   op 0 a + b, 1 a - b, 2 a * b, 3 a / b, 4 a > b ? a : b, 5 a < b ? a : b, 6 (a - b) * (a - b), 7 a < 0 ? a * b : a
//   max(v, low) = v > low ? v : low; min(v, high) = v < high ? v : high; so NaN becomes min(low, high).
//   low = -Inf with high = Inf means no clamp: NaN stays NaN.
//
// in 0  a   f32, element [i0, i1, i2, i3] at sum of i * a_stride; strides in elements, 0 broadcasts
// in 1  b   likewise with b_stride
// out 0 y   f32 [d0, d1, d2, d3] dense; may be a itself when a is dense and of the same size
//
// Strides 0 and 1 of the inner dimension are fast. All rows are bit-equal but for the payload of NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_ELTWISE_PARAMS(F)                                                                             \
  F(u32, op)                                                                                               \
  F(u32, d0)                                                                                               \
  F(u32, d1) F(u32, d2) F(u32, d3) F(u32, a_stride0) F(u32, a_stride1) F(u32, a_stride2) F(u32, a_stride3) \
      F(u32, b_stride0) F(u32, b_stride1) F(u32, b_stride2) F(u32, b_stride3) F(f32, low) F(f32, high)
LOWP_PARAMS(EltwiseParams, LOWP_ELTWISE_PARAMS)

extern const KernelDef kernel_eltwise;

}  // namespace lowp
