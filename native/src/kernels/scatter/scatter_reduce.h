// Kernel `scatter_reduce`: a copy of x whose elements are reduced with those that indices name (kernels/common/picks.h).
//
//   y = x;  y[begin(pick) + k] = y[begin(pick) + k] (reduction) updates[pick, k],  0 <= k < block, pick after pick
//
//   reduction  0 sum, 1 difference, 2 product, 3 minimum, 4 maximum, 5 mean of x and all updates of an element
//
// in 0  x        f32, i32 or i64
// in 1  indices  i32 or i64
// in 2  updates  [picks, block] of the type of x
// out 0 y        as x; may be x itself
//
// keep = 0 leaves x out where there is an update: the first one replaces it. Values are doubles until all updates are
// done: f32 is rounded once, whole numbers are truncated (their means rounded down) and saturated, NaN gives 0. Minimum and
// maximum are NaN when one of the two is, and -0 lies below 0. An index outside of its axis is reported (Fault), and its
// block is left as it is. All instruction sets share one row.
#pragma once
#include "kernels/common/picks.h"

namespace lowp {

#define LOWP_SCATTER_REDUCE_PARAMS(F) LOWP_PICK_PARAMS(F) F(u32, reduction) F(u32, keep)
LOWP_PARAMS(ScatterReduceParams, LOWP_SCATTER_REDUCE_PARAMS)

extern const KernelDef kernel_scatter_reduce;

}  // namespace lowp
