// What an instruction set implements for `observe`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// Statistics of one chunk of one channel. Without finite elements: min = Inf, max = -Inf, sum = 0.
struct ObservePartial {
  double sum;
  float min, max;
  uint64_t non_finite;
};

// Channels that columns() takes at most.
constexpr size_t kObserveColumns = 64;

struct ObserveRows {
  // One chunk of `count` runs of `run` elements, which begin `stride` elements apart.
  void (*lanes)(const float* x, size_t run, size_t count, size_t stride, ObservePartial* out);
  // One chunk of `rows` rows, `stride` elements apart, of `channels` <= kObserveColumns channels: out[channels].
  void (*columns)(const float* x, size_t rows, size_t stride, size_t channels, ObservePartial* out);
};

extern const ObserveRows observe_f32_scalar;
extern const ObserveRows observe_f32_avx2_16;
extern const ObserveRows observe_f32_avx512_64;

}  // namespace lowp
