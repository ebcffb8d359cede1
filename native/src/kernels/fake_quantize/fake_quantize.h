// Kernel `fake_quantize`: FakeQuantize-1 in f32, limits per tensor or per channel.
//
//   x <= min(il, ih)  y = ol
//   x >  max(il, ih)  y = oh
//   otherwise         y = round_even((x - il) / (ih - il) * (levels - 1)) / (levels - 1) * (oh - ol) + ol
//
// Each operation rounds to float, in this order, none fused; NaN gives NaN.
//
// in 0  x            f32 [outer, channels, inner]; channels-last tensors have inner == 1
// in 1..4            input_low, input_high, output_low, output_high: constants f32[1] or f32[channels]
// out 0 y            f32 like x, may be x itself
//
// All rows are bit-equal but for the payload of NaN. levels must be in [2, 2^24], so that levels - 1 is exact.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_FAKE_QUANTIZE_PARAMS(F) F(u32, outer) F(u32, channels) F(u32, inner) F(u32, levels)
LOWP_PARAMS(FakeQuantizeParams, LOWP_FAKE_QUANTIZE_PARAMS)

extern const KernelDef kernel_fake_quantize;

}  // namespace lowp
