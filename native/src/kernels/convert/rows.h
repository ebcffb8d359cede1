// What an instruction set implements for `convert`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// n values at x to floats; x is aligned to its type.
using ConvertFunction = void (*)(const void* x, float* y, size_t n);

struct ConvertRows {
  ConvertFunction f32, u8, i8, i32, i64, f16, i16, boolean;
};

extern const ConvertRows convert_f32_scalar;
extern const ConvertRows convert_f32_avx2_8;
extern const ConvertRows convert_f32_avx512_16;

}  // namespace lowp
