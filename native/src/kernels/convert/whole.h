// The part of `convert` that gives whole numbers.
#pragma once
#include <cstddef>

#include "kernels/kernel.h"

namespace lowp {

// n values at x to whole numbers at y; both are aligned to their types.
using WholeFunction = void (*)(const void* x, void* y, size_t n);

// From f32, i8, u8, i16, i32, i64 or boolean to i32 or i64; null for other types.
WholeFunction WholeFunctionOf(ElementType from, ElementType to);

}  // namespace lowp
