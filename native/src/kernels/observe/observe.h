// Kernel `observe`: statistics of an f32 tensor in one read.
//
// in 0 x f32 [items, outer, channels, inner]; channels-last tensors have inner == 1. With a stride, x is f32 [items, outer,
// stride], of which channels [offset, offset + channels) are read; then inner is 1, per_channel is 1 and channels > 1.
// out 0 f32 [5, items, C], C = per_channel ? channels : 1, rows min, max, max |x|, mean, number of non-finite elements.
//
// Items are the samples of a batch: each gets the statistics that it has alone, to the bit.
//
// NaN and Inf count in the last row only; a channel of an item without finite elements gives zeros. A minimum or maximum of zero
// is +0. The means are 0 unless mean is 1. A mean is the double sum of the finite elements over their number, rounded once to float. Sums never depend
// on threads or instruction set; they are made per chunk, and the sums of the chunks are added in order to 0:
//
//   lanes    When C == 1 or inner > 1: 16 sums in double; element j of a run goes to sum j mod 16. At the end of a
//            chunk s[j] += s[j + 8] for j < 8, s[j] += s[j + 4] for j < 4, s[j] += s[j + 2] for j < 2, and s[0] + s[1].
//            C == 1: x is one sequence, whose runs are its pieces of 16384 elements, and every run is a chunk.
//            C > 1:  a run is the `inner` elements of one (outer, channel); a chunk is 16384 / inner runs of a channel
//            (rounded down) for successive outer, or, when inner > 16384, a piece of 16384 elements of one run.
//   columns  When C > 1 and inner == 1: a chunk is 256 successive outer, added in order to one double per channel.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_OBSERVE_PARAMS(F) F(u32, outer) F(u32, channels) F(u32, inner) F(u32, per_channel) F(u32, items) F(u32, mean) \
  F(u32, stride) F(u32, offset)
LOWP_PARAMS(ObserveParams, LOWP_OBSERVE_PARAMS)

extern const KernelDef kernel_observe;

}  // namespace lowp
