// Kernel `quantize`: f32 values to u8 codes, with an optional change from channels-first to channels-last.
//
//   q = round_even(fma(x, inv_scale[c], shift[c])) saturated to [0, 255], NaN gives 0
//   y = min(max(q, low[c]), high[c])
//
// in 0  x          f32, layout 0: [batch, spatial, channels]; layout 1: [batch, channels, spatial]
// in 1  inv_scale  constant f32[1] or f32[channels]
// in 2  shift      constant f32[1] or f32[channels], usually the zero point
// in 3  bounds     constant u8[2 * channels], lows then highs; absent: 0 and 255
// out 0 y          u8 [batch, spatial, out_stride], out_stride >= channels; further channels hold the byte pad_value
//
// y must not overlap x. All rows are bit-equal.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_QUANTIZE_PARAMS(F) \
  F(u32, batch) F(u32, channels) F(u32, spatial) F(u32, layout) F(u32, out_stride) F(u32, pad_value)
LOWP_PARAMS(QuantizeParams, LOWP_QUANTIZE_PARAMS)

extern const KernelDef kernel_quantize;

}  // namespace lowp
