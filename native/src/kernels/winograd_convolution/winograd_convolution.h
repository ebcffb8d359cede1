// A convolution with 3 x 3 taps and stride 1 by Winograd's minimal filtering F(2 x 2, 3 x 3): 16 products for 4 outputs
// instead of 36 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks").
//
// Output pixels come in tiles of 2 x 2; tile (ty, tx) reads the window d of 4 x 4 pixels of x from
// (2 ty - pad_top, 2 tx - pad_left) on, 0 outside of x. With
//        | 1  0 -1  0 |        |  1    0    0  |
//   B' = | 0  1  1  0 |    G = | 1/2  1/2  1/2 |   A' = | 1  1  1  0 |
//        | 0 -1  1  0 |        | 1/2 -1/2  1/2 |        | 0  1 -1 -1 |
//        | 0  1  0 -1 |        |  0    0    1  |
//   v = B' d B for each channel, u = G w G' for each pair of channels,
//   m[i][j][n] = sum over c of v[i][j][c] * u[i][j][n][c], one chain of fma from 0 in the order of c,
//   y = epilogue(A' m A), channel n.
// All in f32, column by column first, then row by row. Sums of three go from left to right, but those of G are
// (w0 + w2) / 2 + w1 / 2 and (w0 + w2) / 2 - w1 / 2. So results have the same bits on every instruction set, but not
// those of `convolution`: an output errs by a few roundings of the largest products of its tile's window, of x that it
// does not read too. Where that window has an infinity or a NaN, all 4 outputs may become NaN.
//
// x        NHWC f32, pixels in_stride elements apart; elements beyond in_c are ignored.
// weights  OIHW [out_c, in_c, 3, 3] f32, constant.
// y        [batch, out_h, out_w, out_stride], the channels at out_offset, f32. May be the residual's buffer when the
//          call says so (inplace_input).
// bias, residual (f32) and the epilogue: kernels/common/epilogue.h and epilogue_operands.h; no scale, no bounds.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_WINOGRAD_CONVOLUTION_PARAMS(F)                                                                                  \
  F(u32, batch) F(u32, in_h) F(u32, in_w) F(u32, in_c) F(u32, in_stride) F(u32, out_h) F(u32, out_w)            \
  F(u32, out_c) F(u32, out_stride) F(u32, out_offset) F(u32, pad_top) F(u32, pad_left) F(u32, mid)              \
  F(f32, mid_scale) F(f32, mid_bias) F(f32, mid_low) F(f32, mid_high) F(f32, residual_scale) F(f32, low)        \
  F(f32, high)

LOWP_PARAMS(WinogradConvolutionParams, LOWP_WINOGRAD_CONVOLUTION_PARAMS)

extern const KernelDef kernel_winograd_convolution;

}  // namespace lowp
