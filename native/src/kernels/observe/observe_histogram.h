// Kernel `observe_histogram`: how many elements of an f32 tensor have each sign, exponent and first three bits of mantissa.
//
// in 0 x f32 [items, rows, run]; with a stride, x is f32 [items, rows, stride], of which elements [offset, offset + run) of
// each row are read. out 0 i64 [items, 4096]: element i of an item counts its elements whose bits >> 20 is i, that
// is eight bins for each octave of either sign; infinities and NaN lie in the bins of exponent 255.
//
// The output accumulates: it is 0 before the first run of a session, and each run adds its elements. Behind a run that was
// cancelled it means nothing.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_OBSERVE_HISTOGRAM_PARAMS(F) F(u32, items) F(u32, rows) F(u32, run) F(u32, stride) F(u32, offset)
LOWP_PARAMS(ObserveHistogramParams, LOWP_OBSERVE_HISTOGRAM_PARAMS)

extern const KernelDef kernel_observe_histogram;

}  // namespace lowp
