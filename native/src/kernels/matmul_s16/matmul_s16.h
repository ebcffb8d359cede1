// Matrix product of 16-bit integers with constant weights:
//
//   acc[i, n] = sum over j of x[i, in_offset + j] * w(n, j),  i < m, n < n, j < k,  exact as s64
//   f32 y     v = fma(float(acc), scale[n], bias[n]);  v = fma(residual[i, n], residual_scale, v);
//             y = min(max(v, low), high), as kernels/common/epilogue.h has them; float() rounds once, to even
//   i32 y     y = acc + bias[n] + residual[i, n], saturated to [-2^31, 2^31 - 1] once, at the end; exact below that
//
// in 0  x         i16[m, in_stride]; elements outside [in_offset, in_offset + k) of a row are ignored
// in 1  weights   i16, constant, [n, k] (weights_transposed 1) or [k, n] (0)
// in 2  bias      f32[n] for f32 y, i32[n] for i32 y, constant; may be absent
// in 3  scale     f32[n], constant, for f32 y; absent for i32 y
// in 4  residual  f32[m, n] for f32 y, i32[m, n] for i32 y; may be absent, and may be y when the call says so
//                 (inplace_input)
// out 0 y         f32 or i32 [m, out_stride], the columns at out_offset; elements between keep their values
//
// low, high and residual_scale belong to f32 y. k is at most kMostS16Products. No value of x or of a weight is
// excluded, also not -32768. Buffers are 64-byte aligned and readable kReadSlack bytes behind their end.
//
// An affine layer of the GNA saturates to s32 after each partial block of its inputs and goes on from there. That is a
// chain of calls with i32 y, one for each partial block: in_offset and the weights select the block, the first call has
// the bias, each later one the y before it as residual. A convolution saturates once: one call. Weights of 8 bits with
// a multiplier per row are the 16-bit weights q * multiplier, which are at most 128 * 255. Pooling of sums before they
// are saturated is not in here.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_MATMUL_S16_PARAMS(F)                                                                                  \
  F(u32, m) F(u32, k) F(u32, n) F(u32, weights_transposed) F(u32, in_stride) F(u32, in_offset) F(u32, out_stride) \
  F(u32, out_offset) F(f32, residual_scale) F(f32, low) F(f32, high)

LOWP_PARAMS(MatmulS16Params, LOWP_MATMUL_S16_PARAMS)

// Largest k: every product may need a block of its own (pack.h), and the sums of so many blocks' halves are s32.
constexpr uint32_t kMostS16Products = 65535;

extern const KernelDef kernel_matmul_s16;

}  // namespace lowp
