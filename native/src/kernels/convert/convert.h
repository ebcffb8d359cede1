// Kernel `convert`: values of any element type as f32, i32 or i64.
//
// in 0  x  elements of f32, u8, i8, i16, i32, i64, f16 or boolean; whole numbers are not made of f16
// out 0 y  f32, i32 or i64 [elements]; may be x itself when it has the same type
//
// A boolean is 1 for every non-zero byte.
// To f32: i32 and i64 round to nearest even; f16 is exact, its NaNs become quiet.
// To i32 and i64: floats are truncated; what is too large or too small saturates, NaN is 0.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_CONVERT_PARAMS(F) F(u32, elements)
LOWP_PARAMS(ConvertParams, LOWP_CONVERT_PARAMS)

extern const KernelDef kernel_convert;

}  // namespace lowp
