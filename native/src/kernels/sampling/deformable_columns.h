// Kernel `deformable_columns`: what the taps of a deformable convolution read, as rows of a matrix.
//
//   y[n, p, k, c] = mask[n, g, k, p] * x(n, p * stride - pad + k * dilation + offset[n, g, k, p], c),  g the group of c
//
// in 0  x        f32 [batch, height, width, channels]
// in 1  offsets  f32 [batch, groups, taps, 2, places]: rows, then columns; taps = kernel_height * kernel_width
// in 2  mask     f32 [batch, groups, taps, places], or absent: ones
// out 0 y        f32 [batch, places, taps, channels]; places = out_height * out_width
//
// x is read between four pixels with weights that are products of doubles, rounded once; sums as in rows.h. Positions
// outside of the image count as zero; with padded = 1 those less than one pixel outside are mixed with zeros, with
// padded = 0 the last row and column go on behind the middle of their pixels.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_DEFORMABLE_COLUMNS_PARAMS(F)                                                                       \
  F(u32, batch) F(u32, height) F(u32, width) F(u32, channels) F(u32, groups) F(u32, kernel_height)              \
  F(u32, kernel_width) F(u32, out_height) F(u32, out_width) F(u32, stride_height) F(u32, stride_width)          \
  F(i32, pad_top) F(i32, pad_left) F(u32, dilation_height) F(u32, dilation_width) F(u32, padded)
LOWP_PARAMS(DeformableColumnsParams, LOWP_DEFORMABLE_COLUMNS_PARAMS)

extern const KernelDef kernel_deformable_columns;

}  // namespace lowp
