// Kernel `convert`: values of any element type as f32.
//
// in 0  x  elements of f32, u8, i8, i16, i32, i64, f16 or boolean
// out 0 y  f32[elements]; may be x itself when x is f32
//
// i32 and i64 round to nearest even; a boolean is 1 for every non-zero byte; f16 is exact, its NaNs become quiet.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_CONVERT_PARAMS(F) F(u32, elements)
LOWP_PARAMS(ConvertParams, LOWP_CONVERT_PARAMS)

extern const KernelDef kernel_convert;

}  // namespace lowp
