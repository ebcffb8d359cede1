// Kernel `dequantize`: u8 codes to f32 values, with an optional change from channels-last to channels-first.
//
//   y = (float(q) - zero_point[c]) * scale[c]
//
// in 0  x           u8 [batch, spatial, in_stride], in_stride >= channels; further channels are ignored
// in 1  scale       constant f32[1] or f32[channels]
// in 2  zero_point  constant f32[1] or f32[channels]
// out 0 y           f32, layout 0: [batch, spatial, channels]; layout 1: [batch, channels, spatial]
//
// y must not overlap x. All rows are bit-equal.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_DEQUANTIZE_PARAMS(F) F(u32, batch) F(u32, channels) F(u32, spatial) F(u32, layout) F(u32, in_stride)
LOWP_PARAMS(DequantizeParams, LOWP_DEQUANTIZE_PARAMS)

extern const KernelDef kernel_dequantize;

}  // namespace lowp
