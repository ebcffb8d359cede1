// Max and average pooling. Window (oz, oy, ox) of a volume has the positions
//   iz = oz * stride_d - pad_front + kz * dilation_d, iy = oy * stride_h - pad_top + ky * dilation_h,
//   ix = ox * stride_w - pad_left + kx * dilation_w.
// An image is a volume of depth 1.
//
// x  NDHWC, [batch, in_d, in_h, in_w, in_stride]; channels beyond `channels` are ignored.
// y  [batch, out_d, out_h, out_w, out_stride], the channels at out_offset; other elements keep their values.
//
// mode 0  Maximum over the positions inside the input: m = v > m ? v : m in the order (kz, ky, kx), from m = -FLT_MAX (f32)
//         or 0 (u8), so that NaN is passed over. f32 to f32, u8 to u8; in_zero_point, scale and bias are not used.
// mode 1  Average; `count` is the number of positions inside the input.
// mode 2  Average; `count` is the number of positions inside [-pad_front, in_d + pad_back) x
//         [-pad_top, in_h + pad_bottom) x [-pad_left, in_w + pad_right).
//   f32 to f32        y = sum / float(count); plain adds from 0, in the order (kz, ky, kx), of what is inside the input.
//   u8 to f32 and u8  v = fma(float(s) / float(count), scale, bias), s being the exact sum of x - in_zero_point
//                     over the positions inside the input. u8: round_even(v) saturated to [0, 255], NaN is 0.
//   Where count is 0, y is 0 (f32 to f32) or v is bias.
// Buffers are readable kReadSlack bytes behind their end.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_POOL_PARAMS(F)                                                                                          \
  F(u32, batch) F(u32, in_d) F(u32, in_h) F(u32, in_w) F(u32, channels) F(u32, in_stride) F(u32, out_d)             \
  F(u32, out_h) F(u32, out_w) F(u32, out_stride) F(u32, out_offset) F(u32, kernel_d) F(u32, kernel_h)               \
  F(u32, kernel_w) F(u32, stride_d) F(u32, stride_h) F(u32, stride_w) F(u32, dilation_d) F(u32, dilation_h)         \
  F(u32, dilation_w) F(u32, pad_front) F(u32, pad_top) F(u32, pad_left) F(u32, pad_back) F(u32, pad_bottom)         \
  F(u32, pad_right)                                                                                                 \
  F(u32, mode) F(u32, in_zero_point) F(f32, scale) F(f32, bias)

LOWP_PARAMS(PoolParams, LOWP_POOL_PARAMS)

enum class PoolMode : uint32_t { kMax = 0, kAverageInside = 1, kAveragePadded = 2 };

extern const KernelDef kernel_pool;

}  // namespace lowp
