// Kernel `select`: y = condition ? a : b for each element, with broadcasting over four dimensions.
//
// in 0  condition  boolean, element [i0, i1, i2, i3] at sum of i * c_stride; strides in elements, 0 broadcasts
// in 1  a          of any type, likewise with a_stride
// in 2  b          of the type of a, likewise with b_stride
// out 0 y          of that type, [d0, d1, d2, d3] dense
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_SELECT_PARAMS(F)                                                                           \
  F(u32, d0) F(u32, d1) F(u32, d2) F(u32, d3)                                                           \
  F(u32, c_stride0) F(u32, c_stride1) F(u32, c_stride2) F(u32, c_stride3)                               \
  F(u32, a_stride0) F(u32, a_stride1) F(u32, a_stride2) F(u32, a_stride3)                               \
  F(u32, b_stride0) F(u32, b_stride1) F(u32, b_stride2) F(u32, b_stride3)
LOWP_PARAMS(SelectParams, LOWP_SELECT_PARAMS)

extern const KernelDef kernel_select;

}  // namespace lowp
