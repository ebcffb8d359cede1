// What an instruction set implements for `softmax`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// How a result becomes a byte.
struct SoftmaxBytes {
  float inv_scale = 1, shift = 0;
  uint8_t low = 0, high = 255;
};

struct SoftmaxRows {
  // `rows` rows of `axis` consecutive elements.
  void (*contiguous)(const float* x, float* y, size_t rows, size_t axis);
  // As contiguous, to bytes; `buffer` holds `axis` floats.
  void (*quantized)(const float* x, float* buffer, uint8_t* y, size_t rows, size_t axis, const SoftmaxBytes& bytes);
  // `columns` columns side by side, whose `axis` elements are `inner` apart.
  void (*strided)(const float* x, float* y, size_t axis, size_t inner, size_t columns);
};

extern const SoftmaxRows softmax_f32_scalar;
extern const SoftmaxRows softmax_f32_avx2_16;
extern const SoftmaxRows softmax_f32_avx512_16;

}  // namespace lowp
