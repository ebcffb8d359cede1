// Kernel `resize`: images whose pixels are weighted sums of pixels of other images, along rows and columns.
//
// in 0  x              f32 or u8 [batch, in_height, in_width, channels]
// in 1  rows           i32[out_height, row_taps], constant: positions in [0, in_height)
// in 2  columns        i32[out_width, column_taps], constant: positions in [0, in_width)
// in 3  row_weights    f32[out_height, row_taps], constant; absent where row_taps is 1
// in 4  column_weights f32[out_width, column_taps], constant; absent where column_taps is 1
// out 0 y              as x [batch, out_height, out_width, out_stride], channels from out_offset on; the others keep their
//                      values
//
//   t      of output row h at each column and channel of the input: with one row tap x[rows[h]]; otherwise
//          w[h, 0] * x[rows[h, 0]], then t = fma(w[h, k], x[rows[h, k]], t) for k = 1 …
//   y      of output column w likewise from t, with columns and column_weights
//
// u8 has one tap on both axes: bytes move. Every line is one rounding of each operation. All rows are bit-equal but for
// the payload of NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_RESIZE_PARAMS(F)                                                                              \
  F(u32, batch) F(u32, in_height) F(u32, in_width) F(u32, channels) F(u32, out_height) F(u32, out_width) \
  F(u32, row_taps) F(u32, column_taps) F(u32, out_stride) F(u32, out_offset)
LOWP_PARAMS(ResizeParams, LOWP_RESIZE_PARAMS)

extern const KernelDef kernel_resize;

}  // namespace lowp
