// Kernel `scatter`: a copy of x in which the blocks that indices name are replaced (kernels/common/picks.h).
//
//   y = x;  y[begin(pick) + k] = updates[pick, k],  0 <= k < block, pick after pick: of several, the last one stays
//
// in 0  x        elements of any type
// in 1  indices  i32 or i64
// in 2  updates  [picks, block] of the type of x
// out 0 y        as x; may be x itself
//
// An index outside of its axis is reported (Fault), and its block is left as it is.
#pragma once
#include "kernels/common/picks.h"

namespace lowp {

LOWP_PARAMS(ScatterParams, LOWP_PICK_PARAMS)

extern const KernelDef kernel_scatter;

}  // namespace lowp
