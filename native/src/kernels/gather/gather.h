// Kernel `gather`: y lists the blocks of x that indices name (kernels/common/picks.h).
//
//   y[pick, k] = x[begin(pick) + k],  0 <= k < block
//
// in 0  x        elements of any type
// in 1  indices  i32 or i64
// out 0 y        [picks, block] of the type of x
//
// A block that an index outside of its axis names is 0 bytes; outside = 0 reports it (Fault), outside = 1 does not.
#pragma once
#include "kernels/common/picks.h"

namespace lowp {

#define LOWP_GATHER_PARAMS(F) LOWP_PICK_PARAMS(F) F(u32, outside)
LOWP_PARAMS(GatherParams, LOWP_GATHER_PARAMS)

extern const KernelDef kernel_gather;

}  // namespace lowp
