// Kernel `reduce`: elements along one axis become one.
//
// in 0  x  f32 [outer, axis, inner]
// out 0 y  f32 [outer, inner]
//
//   op  0 sum      start 0,     step s + x,           join a + b
//       1 max      start -Inf,  step x > s ? x : s,   join b > a ? b : a; NaN when an element is NaN
//       2 min      start +Inf,  likewise with <
//       3 prod     start 1,     step s * x,           join a * b
//       4 sum_abs  as sum of |x|
//       5 sum_sq   start 0,     step fma(x, x, s),    join a + b
//
//   block    the axis is cut into blocks of 1024, the last one shorter
//   inner 1  a block has 32 partial results, s[i mod 32] takes in x_i in order of i; then s[j] = join(s[j], s[j + 16]) for
//            j < 16, likewise with 8, 4, 2 and 1
//   inner 2+ the partial result of a block takes in its elements in order
//   blocks   where there are several, their results r_b are joined in order from the start: s = join(s, r_b)
//   finish   0 nothing, 1 y = s / divisor, 2 y = sqrt(s)
//
// Every line is one rounding of each operation. All rows are bit-equal but for the payload of NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_REDUCE_PARAMS(F) F(u32, op) F(u32, outer) F(u32, axis) F(u32, inner) F(u32, finish) F(f32, divisor)
LOWP_PARAMS(ReduceParams, LOWP_REDUCE_PARAMS)

extern const KernelDef kernel_reduce;

}  // namespace lowp
