// Kernel `observe_quantile`: two neighbours in the ascending order of the elements of an f32 tensor, without sorting it.
//
// in 0 x f32 [items, outer, channels, inner]. out 0 f32 [2, items, C], C = per_channel ? channels : 1: the element of rank
// `rank` (from 0) and that of rank + 1, the last one twice. With `absolute` magnitudes are ordered.
//
// Exact, by radix selection: the bits of a float, as an integer in the order of floats, are found 11, 11 and 10 at a time
// from histograms; once the two ranks part, the largest element of one bin and the smallest of the other are the results.
// At most three reads of x, the first one shared by the threads, and 8 KiB for each 65536 elements. Ranks among the 16 at
// either end take one read, which keeps so many elements as there are up to the rank.
//
// NaN lies beyond the infinities. A zero is +0. No elements give zeros. rank < elements of a channel.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_OBSERVE_QUANTILE_PARAMS(F) \
  F(u32, outer) F(u32, channels) F(u32, inner) F(u32, per_channel) F(u32, items) F(u32, rank) F(u32, absolute)
LOWP_PARAMS(ObserveQuantileParams, LOWP_OBSERVE_QUANTILE_PARAMS)

extern const KernelDef kernel_observe_quantile;

}  // namespace lowp
