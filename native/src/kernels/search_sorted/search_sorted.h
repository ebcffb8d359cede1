// Kernel `search_sorted`: where values belong in ascending rows.
//
//   y[r, i] = the number of elements of row r that lie below x[r, i]; with right = 1 those equal to it count too
//
// in 0  rows  f32, i32 or i64 [rows, size], ascending; rows = 1 serves all values
// in 1  x     of the same type, [rows, values]
// out 0 y     i32 or i64, as many as x
//
// The search halves the row, so that of a row out of order the answer is what the halves say; NaN lies below nothing and
// above nothing, and gives 0.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_SEARCH_SORTED_PARAMS(F) F(u32, rows) F(u32, size) F(u32, values) F(u32, right)
LOWP_PARAMS(SearchSortedParams, LOWP_SEARCH_SORTED_PARAMS)

extern const KernelDef kernel_search_sorted;

}  // namespace lowp
