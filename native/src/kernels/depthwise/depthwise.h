// Depthwise convolution: y[b, oy, ox, n] = epilogue(sum over ky, kx of
//   x[b, oy * stride_h - pad_top + ky * dilation_h, ox * stride_w - pad_left + kx * dilation_w, n] * w[n, 0, ky, kx]).
//
// x        NHWC, f32 or u8, [batch, in_h, in_w, in_stride]; channels beyond in_c are ignored.
// weights  [in_c, 1, kernel_h, kernel_w], f32 or i8, constant. groups, in_c and out_c are equal.
//          u8 x i8: products are (x - zero_point) * w, summed exactly in s32; taps outside of the input add nothing.
//          f32: one chain of fma from 0 in the order (ky, kx); taps outside of the input are left out.
// y        [batch, out_h, out_w, out_stride], the channels at out_offset; f32 or, from u8 x, u8.
// Input 6  zero points of x by channel, u8[in_c], constant; without it all are in_zero_point.
// bias, scale, residual, bounds and the epilogue: kernels/common/epilogue.h and epilogue_operands.h.
// y may be the residual's buffer when the call says so (inplace_input). Buffers are readable kReadSlack bytes behind
// their end.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_DEPTHWISE_PARAMS(F)                                                                                 \
  F(u32, batch) F(u32, in_h) F(u32, in_w) F(u32, in_c) F(u32, in_stride) F(u32, out_h) F(u32, out_w)            \
  F(u32, out_c) F(u32, out_stride) F(u32, out_offset) F(u32, kernel_h) F(u32, kernel_w) F(u32, stride_h)        \
  F(u32, stride_w) F(u32, dilation_h) F(u32, dilation_w) F(u32, pad_top) F(u32, pad_left) F(u32, groups)        \
  F(u32, in_zero_point) F(u32, mid) F(f32, mid_scale) F(f32, mid_bias) F(f32, mid_low) F(f32, mid_high)         \
  F(f32, residual_scale) F(f32, low) F(f32, high)

LOWP_PARAMS(DepthwiseParams, LOWP_DEPTHWISE_PARAMS)

extern const KernelDef kernel_depthwise;

}  // namespace lowp
