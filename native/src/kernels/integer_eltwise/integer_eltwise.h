// Kernel `integer_eltwise`: y = op(a, b) on whole numbers with broadcasting over four dimensions.
//
//   op 0 a + b, 1 a - b, 2 a * b, 3 max(a, b), 4 min(a, b)
//      5 floor(a / b), 6 trunc(a / b), 7 a - b * trunc(a / b), 8 a - b * floor(a / b)
//      9 a & b, 10 a | b, 11 a ^ b, 12 a << b, 13 a >> b
//   Sums, differences, products and quotients saturate. Of b = 0: quotients are the end of the range on the side of a, 0
//   for a = 0; remainders are 0. Bits are those of two's complement; a shift by a negative number goes the other way,
//   and one beyond all bits leaves those that come in: zeros from the right, copies of the sign from the left.
//
// in 0  a   i32 or i64, element [i0, i1, i2, i3] at sum of i * a_stride; strides in elements, 0 broadcasts
// in 1  b   of the same type, likewise with b_stride
// out 0 y   of the same type, [d0, d1, d2, d3] dense
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_INTEGER_ELTWISE_PARAMS(F)                                                                  \
  F(u32, op) F(u32, d0) F(u32, d1) F(u32, d2) F(u32, d3)                                                \
  F(u32, a_stride0) F(u32, a_stride1) F(u32, a_stride2) F(u32, a_stride3)                               \
  F(u32, b_stride0) F(u32, b_stride1) F(u32, b_stride2) F(u32, b_stride3)
LOWP_PARAMS(IntegerEltwiseParams, LOWP_INTEGER_ELTWISE_PARAMS)

extern const KernelDef kernel_integer_eltwise;

}  // namespace lowp
