// What an instruction set implements for `roi_align` and `roi_pool`.
#pragma once
#include <cstddef>

namespace lowp {

// Pixels of samples, four for each, `channels` elements from x + offset, and what they count.
struct SampleTask {
  const float* x = nullptr;
  const size_t* offsets = nullptr;
  const float* weights = nullptr;
  size_t samples = 0;
  float* y = nullptr;
  size_t channels = 0;
};

// A rectangle of pixels: columns are `channels` elements apart, rows `line` elements.
struct PixelsTask {
  const float* x = nullptr;
  size_t rows = 0, columns = 0, line = 0;
  float* y = nullptr;
  size_t channels = 0;
};

// The first two go on from what is in y, in the order of roi_align.h.
struct RoiAlignRows {
  void (*add)(const SampleTask& task);
  void (*take_largest)(const SampleTask& task);
  // In the order of roi_pool.h.
  void (*largest_pixel)(const PixelsTask& task);
};

extern const RoiAlignRows roi_align_f32_scalar;
extern const RoiAlignRows roi_align_f32_avx2_8;
extern const RoiAlignRows roi_align_f32_avx512_16;

}  // namespace lowp
