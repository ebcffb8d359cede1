// What an instruction set implements for `softmax`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

struct SoftmaxRows {
  // `rows` rows of `axis` consecutive elements.
  void (*contiguous)(const float* x, float* y, size_t rows, size_t axis);
  // `columns` columns side by side, whose `axis` elements are `inner` apart.
  void (*strided)(const float* x, float* y, size_t axis, size_t inner, size_t columns);
};

extern const SoftmaxRows softmax_f32_scalar;
extern const SoftmaxRows softmax_f32_avx2_16;
extern const SoftmaxRows softmax_f32_avx512_16;

}  // namespace lowp
