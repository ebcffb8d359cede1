// What an instruction set implements for `resize`.
#pragma once
#include <cstddef>

namespace lowp {

// y[o * stride + i] = sum over k < taps of weights[o * taps + k] * x[offsets[o * taps + k] + i], o < count, i < n, in the
// order of resize.h.
struct ResizeTask {
  const float* x = nullptr;
  const size_t* offsets = nullptr;
  const float* weights = nullptr;
  size_t taps = 0, count = 0, n = 0;
  float* y = nullptr;
  size_t stride = 0;
};

struct ResizeRows {
  void (*blend)(const ResizeTask& task);
};

extern const ResizeRows resize_f32_scalar;
extern const ResizeRows resize_f32_avx2_8;
extern const ResizeRows resize_f32_avx512_16;

}  // namespace lowp
