// Kernel `compare`: y = a op b, 1 where it is true, with broadcasting over four dimensions.
//
//   op 0 a == b, 1 a != b, 2 a < b, 3 a <= b, 4 a > b, 5 a >= b; comparisons with NaN are false but for !=
//      6 a and b, 7 a or b; of booleans
//
// in 0  a   f32, i32, i64 or boolean, element [i0, i1, i2, i3] at sum of i * a_stride; strides in elements, 0 broadcasts
// in 1  b   of the same type, likewise with b_stride
// out 0 y   boolean [d0, d1, d2, d3] dense
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_COMPARE_PARAMS(F)                                                                          \
  F(u32, op) F(u32, d0) F(u32, d1) F(u32, d2) F(u32, d3)                                                \
  F(u32, a_stride0) F(u32, a_stride1) F(u32, a_stride2) F(u32, a_stride3)                               \
  F(u32, b_stride0) F(u32, b_stride1) F(u32, b_stride2) F(u32, b_stride3)
LOWP_PARAMS(CompareParams, LOWP_COMPARE_PARAMS)

extern const KernelDef kernel_compare;

}  // namespace lowp
