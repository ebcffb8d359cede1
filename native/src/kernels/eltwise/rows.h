// What an instruction set implements for `eltwise`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

constexpr size_t kEltwiseOps = 8;

// rows x n elements; strides between rows, and between elements of a row, in elements. y is dense within a row.
struct EltwiseBlock {
  const float* a;
  const float* b;
  float* y;
  size_t rows, n;
  size_t a_row, b_row, y_row;
  size_t a_step, b_step;
  float low, high;
};

using EltwiseFunction = void (*)(const EltwiseBlock& block);

// By op number; `plain` ignores low and high.
struct EltwiseRows {
  EltwiseFunction plain[kEltwiseOps];
  EltwiseFunction clamped[kEltwiseOps];
};

extern const EltwiseRows eltwise_f32_scalar;
extern const EltwiseRows eltwise_f32_avx2_8;
extern const EltwiseRows eltwise_f32_avx512_16;

}  // namespace lowp
