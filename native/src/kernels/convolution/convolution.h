// Convolution: y[b, oz, oy, ox, n] = epilogue(sum over kz, ky, kx, c of
//   x[b, oz * stride_d - pad_front + kz * dilation_d, oy * stride_h - pad_top + ky * dilation_h,
//     ox * stride_w - pad_left + kx * dilation_w, g * in_c / groups + c]
//   * w[n, c, kz, ky, kx]),  g = n / (out_c / groups), c < in_c / groups.
// An image is a volume of depth 1, a line one of depth and height 1.
//
// x        NDHWC, f32 or u8, pixels in_stride elements apart; elements beyond in_c are ignored. Taps outside of the
//          input read 0 (f32) or in_zero_point (u8).
// weights  OIDHW [out_c, in_c / groups, kernel_d, kernel_h, kernel_w], f32 or i8, constant. u8 x i8: the products are
//          (x - in_zero_point) * w, summed exactly in s32. f32: one chain of fma from 0 in the order (kz, ky, kx, c).
//          in_zero_offset, -0.5 to 0.5, says that real 0 lies so far above in_zero_point; bias accounts for it as if no
//          tap were outside. The bias of an output with taps outside is, computed in doubles,
//          bias[n] + scale[n] * in_zero_offset * (sum of w[n, taps outside]).
// y        [batch, out_d, out_h, out_w, out_stride], the channels at out_offset; f32 or, from u8 x, u8. May be the
//          residual's buffer when the call says so (inplace_input).
// bias, scale, residual, bounds and the epilogue: kernels/common/epilogue.h and epilogue_operands.h.
// Buffers are 64-byte aligned and readable kReadSlack bytes behind their end; the kernel pads x itself.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_CONVOLUTION_PARAMS(F)                                                                               \
  F(u32, batch) F(u32, in_d) F(u32, in_h) F(u32, in_w) F(u32, in_c) F(u32, in_stride) F(u32, out_d)             \
  F(u32, out_h) F(u32, out_w) F(u32, out_c) F(u32, out_stride) F(u32, out_offset) F(u32, kernel_d)              \
  F(u32, kernel_h) F(u32, kernel_w) F(u32, stride_d) F(u32, stride_h) F(u32, stride_w) F(u32, dilation_d)       \
  F(u32, dilation_h) F(u32, dilation_w) F(u32, pad_front) F(u32, pad_top) F(u32, pad_left) F(u32, groups)       \
  F(u32, in_zero_point) F(f32, in_zero_offset) F(u32, mid) F(f32, mid_scale) F(f32, mid_bias) F(f32, mid_low)   \
  F(f32, mid_high) F(f32, residual_scale) F(f32, low) F(f32, high)

LOWP_PARAMS(ConvolutionParams, LOWP_CONVOLUTION_PARAMS)

extern const KernelDef kernel_convolution;

}  // namespace lowp
