// Matrix products of two computed operands, batch by batch, as attention has them:
//
//   y[p, q, i, n] = store(sum over j of a[p, q, i, j] * b[p, q, j, n]),  i < m, n < n, j < k
//
// in 0  a         f32 or u8. Element (p, q, i, j) is at a_offset + p a_batch0 + q a_batch1 + i a_row + j.
// in 1  b         f32 or u8, as a. Element (p, q, j, n) is at b_offset + p b_batch0 + q b_batch1 + j b_k + n b_n, where
//                 b_k or b_n is 1. Strides of 0 repeat a matrix.
// in 2  residual  f32 or u8, may be absent. Element (p, q, i, n) is at residual_offset + p residual_batch0 +
//                 q residual_batch1 + i residual_row + n. Strides of 0 repeat a row or a matrix.
// out 0 y         f32 or u8. Element (p, q, i, n) is at y_offset + p y_batch0 + q y_batch1 + i y_row + n;
//                 no two may be the same. Elements between keep their values.
//
//   f32 operands  acc = one chain of fma from 0 in the order of j, of a and b * alpha, which is rounded once;
//                 v = acc + bias, a bias of 0 adding nothing
//   u8 operands   acc = the sum of (a - a_zero_point) (b - b_zero_point), exact in s32;  v = fma(float(acc), scale, bias)
//   residual      v = fma(float(residual), residual_scale, v)
//   f32 output    y = min(max(v, low), high)
//   u8 output     y = rint(v) saturated to [0, 255], NaN is 0; then min(max(y, byte_low), byte_high)
//
// max and min as in kernels/common/epilogue.h. b is packed at run time for the rows of kernels/gemm: bytes as
// b - 128 in s8, the difference to its zero point being put right by sums of the rows of a. Operands are readable
// kReadSlack bytes behind their end; y overlaps none of them.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_BATCHED_MATMUL_PARAMS(F)                                                                                  \
  F(u32, batch0) F(u32, batch1) F(u32, m) F(u32, k) F(u32, n)                                                          \
  F(u32, a_batch0) F(u32, a_batch1) F(u32, a_row) F(u32, a_offset)                                                     \
  F(u32, b_batch0) F(u32, b_batch1) F(u32, b_k) F(u32, b_n) F(u32, b_offset)                                           \
  F(u32, y_batch0) F(u32, y_batch1) F(u32, y_row) F(u32, y_offset)                                                     \
  F(u32, residual_batch0) F(u32, residual_batch1) F(u32, residual_row) F(u32, residual_offset)                         \
  F(u32, a_zero_point) F(u32, b_zero_point) F(u32, byte_low) F(u32, byte_high)                                         \
  F(f32, alpha) F(f32, scale) F(f32, bias) F(f32, residual_scale) F(f32, low) F(f32, high)

LOWP_PARAMS(BatchedMatmulParams, LOWP_BATCHED_MATMUL_PARAMS)

// Largest k for which every partial sum of bytes is an s32: 255 * 512 * k with the corrections of both zero points.
constexpr uint64_t kMostBatchedProducts = 16384;

extern const KernelDef kernel_batched_matmul;

}  // namespace lowp
