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

// max(v, l) = v > l ? v : l, min(v, h) = v < h ? v : h
struct ObserveClamp {
  float low, high;
  bool sums_x;  // otherwise the sums of x are 0
};

// Channels that columns() takes at most.
constexpr size_t kObserveColumns = 64;

struct ObserveRows {
  // One chunk of `count` runs of `run` elements, which begin `stride` elements apart. Without `sums` the sum is 0.
  void (*lanes)(const float* x, size_t run, size_t count, size_t stride, bool sums, ObservePartial* out);
  // One chunk of `rows` rows, `stride` elements apart, of `channels` <= kObserveColumns channels: out[channels].
  void (*columns)(const float* x, size_t rows, size_t stride, size_t channels, bool sums, ObservePartial* out);
  // The same of a chunk of x while y = min(max(x, low), high) is stored (y may be x) and summed as x is. A chunk of a
  // channel with an element that is not finite has non_finite = its elements, and else the partial of no elements.
  void (*clamp_lanes)(const float* x, float* y, const ObserveClamp& clamp, size_t run, size_t count, size_t stride,
                      ObservePartial* out, double* y_sum);
  void (*clamp_columns)(const float* x, float* y, const ObserveClamp& clamp, size_t rows, size_t stride,
                        size_t channels, ObservePartial* out, double* y_sum);
};

extern const ObserveRows observe_f32_scalar;
extern const ObserveRows observe_f32_avx2_16;
extern const ObserveRows observe_f32_avx512_64;

}  // namespace lowp
