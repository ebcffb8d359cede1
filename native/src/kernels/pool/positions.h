// Kernel `max_positions`: largest elements under windows, and where they are. Windows are those of pool.h.
//
//   y = x[p], p the first position inside the input, in the order (kz, ky, kx), that no later one exceeds; a NaN
//     exceeds every number
//   positions = n * batch_step + c * channel_step + ((iz * in_h + iy) * in_w + ix) mod period
//
// in 0   x          f32 or u8 NDHWC, [batch, in_d, in_h, in_w, in_stride]; channels beyond `channels` are ignored
// out 0  y          of the type of x, [batch, out_d, out_h, out_w, out_stride], the channels at out_offset; other
//                   elements keep their values
// out 1  positions  i32 or i64, [batch, out_d, out_h, out_w, channels]
//
// A window without a position inside the input gives -Infinity or 0, at n * batch_step + c * channel_step. x is
// readable kReadSlack bytes behind its end.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_MAX_POSITIONS_PARAMS(F)                                                                          \
  F(u32, batch) F(u32, in_d) F(u32, in_h) F(u32, in_w) F(u32, channels) F(u32, in_stride) F(u32, out_d)       \
  F(u32, out_h) F(u32, out_w) F(u32, out_stride) F(u32, out_offset) F(u32, kernel_d) F(u32, kernel_h)         \
  F(u32, kernel_w) F(u32, stride_d) F(u32, stride_h) F(u32, stride_w) F(u32, dilation_d) F(u32, dilation_h)   \
  F(u32, dilation_w) F(u32, pad_front) F(u32, pad_top) F(u32, pad_left)                                       \
  F(u32, batch_step) F(u32, channel_step) F(u32, period)

LOWP_PARAMS(MaxPositionsParams, LOWP_MAX_POSITIONS_PARAMS)

extern const KernelDef kernel_max_positions;

}  // namespace lowp
