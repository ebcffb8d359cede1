// What an instruction set implements for `layer_norm`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// Numbers and arrays of a call; null where absent. y or q is there, or both.
struct LayerNormTask {
  const float* x = nullptr;
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float* y = nullptr;
  uint8_t* q = nullptr;
  size_t rows = 0, columns = 0;
  bool variance = true, outside = false;
  float eps = 0, inv_scale = 1, shift = 0;
  uint8_t byte_low = 0, byte_high = 255;
};

using LayerNormRow = void (*)(const LayerNormTask& task);

struct LayerNormRows {
  LayerNormRow run;
};

extern const LayerNormRows layer_norm_f32_scalar;
extern const LayerNormRows layer_norm_f32_avx2_32;
extern const LayerNormRows layer_norm_f32_avx512_32;

}  // namespace lowp
