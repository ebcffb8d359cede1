// Kernel `top_k`: the k largest or smallest elements of every line, and where they are in it.
//
// in 0   x        f32, i32 or i64 [outer, size, inner]; a line runs along `size`
// out 0  values   of the type of x, [outer, k, inner]
// out 1  indices  i32 or i64, [outer, k, inner]
//
// Elements are in order of value (NaN above Infinity, -0 equal to 0), equal ones in order of position: the first k are
// taken, with largest = 1 from the top. by_index = 1 lists them in order of position, else they are listed as taken.
// 1 <= k <= size.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_TOP_K_PARAMS(F) F(u32, outer) F(u32, size) F(u32, inner) F(u32, k) F(u32, largest) F(u32, by_index)
LOWP_PARAMS(TopKParams, LOWP_TOP_K_PARAMS)

extern const KernelDef kernel_top_k;

}  // namespace lowp
