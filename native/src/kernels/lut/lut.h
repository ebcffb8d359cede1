// Kernel `lut`: any function of one byte, y = table[x].
//
// in 0  x      u8[elements]
// in 1  table  u8[256]
// out 0 y      u8[elements], may be x itself
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_LUT_PARAMS(F) F(u32, elements)
LOWP_PARAMS(LutParams, LOWP_LUT_PARAMS)

extern const KernelDef kernel_lut;

}  // namespace lowp
