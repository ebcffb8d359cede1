// Kernel `observe_clamp`: clamps an f32 tensor and gives the statistics before and after, in one read.
//
// in 0 x f32 [items, outer, channels, inner]. out 0 y = min(max(x, low), high), in the order of x, which may be x itself.
// out 1 f32 [5, items, C] statistics of x, out 2 f32 [5, items, C] (optional) statistics of y, both as those of `observe`
// with the same order of sums; the means of x are 0 unless mean is 1. low <= high.
//
// A chunk of a channel that holds NaN or Inf counts in the last row with all its elements and nowhere else, in both
// statistics. y is defined for them: NaN gives min(low, high).
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_OBSERVE_CLAMP_PARAMS(F) \
  F(u32, outer) F(u32, channels) F(u32, inner) F(u32, per_channel) F(f32, low) F(f32, high) F(u32, items) \
  F(u32, mean)
LOWP_PARAMS(ObserveClampParams, LOWP_OBSERVE_CLAMP_PARAMS)

extern const KernelDef kernel_observe_clamp;

}  // namespace lowp
