// Kernel `cum_sum`: running sums along an axis.
//
//   y[o, i, k] = x[o, 0, k] + ... + x[o, i, k];  exclusive = 1 leaves x[o, i, k] out, reverse = 1 sums from the end
//
// in 0  x  f32, i32 or i64 [outer, size, inner]
// out 0 y  of the same type; may be x itself
//
// Sums of f32 are doubles that are rounded when they are stored. Sums of whole numbers are 64 bits wide and stay at the
// end of the range that they pass; those of i32 are saturated when they are stored.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_CUM_SUM_PARAMS(F) F(u32, outer) F(u32, size) F(u32, inner) F(u32, exclusive) F(u32, reverse)
LOWP_PARAMS(CumSumParams, LOWP_CUM_SUM_PARAMS)

extern const KernelDef kernel_cum_sum;

}  // namespace lowp
