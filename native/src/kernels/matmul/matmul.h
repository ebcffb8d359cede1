// Matrix product with constant weights: y[i, n] = epilogue(sum over j of x[i, j] * w(n, j)), i < m, n < n, j < k.
//
// x        [m, in_stride], f32 or u8; elements beyond k are ignored.
// weights  [n, k] (weights_transposed 1) or [k, n] (0), f32 or i8, constant. u8 x i8: the products are
//          (x - in_zero_point) * w, summed exactly in s32. f32: one chain of fma from 0 in the order of j.
// y        [m, out_stride], the columns at out_offset; f32 or, from u8 x, u8. May be the residual's buffer when the
//          call says so (inplace_input).
// bias, scale, residual, bounds and the epilogue: kernels/common/epilogue.h and epilogue_operands.h.
// Buffers are 64-byte aligned and readable kReadSlack bytes behind their end.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_MATMUL_PARAMS(F)                                                                                    \
  F(u32, m) F(u32, k) F(u32, n) F(u32, weights_transposed) F(u32, in_stride) F(u32, out_stride)                  \
  F(u32, out_offset) F(u32, in_zero_point) F(u32, mid) F(f32, mid_scale) F(f32, mid_bias) F(f32, mid_low)        \
  F(f32, mid_high) F(f32, residual_scale) F(f32, low) F(f32, high)

LOWP_PARAMS(MatmulParams, LOWP_MATMUL_PARAMS)

extern const KernelDef kernel_matmul;

}  // namespace lowp
