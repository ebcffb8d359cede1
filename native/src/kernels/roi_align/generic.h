// `roi_align` and `roi_pool` over the vector interface; include a simd/vec_*.h before this file. With one lane it defines
// the results.
#pragma once
#include "kernels/roi_align/rows.h"

namespace lowp {
namespace {

using namespace simd;

// kVectors vectors of channels from i on; the last one has `count` of them.
template <size_t kVectors, bool kLargest>
LOWP_INLINE void SampleBlock(const SampleTask& t, size_t i, size_t count) {
  const bool whole = count == kLanes;
  const auto load = [&](const float* p, size_t j) {
    return j + 1 < kVectors || whole ? Load(p + i + j * kLanes) : LoadPart(p + i + j * kLanes, count);
  };
  Vec y[kVectors];
  LOWP_UNROLL for (size_t j = 0; j < kVectors; j++) y[j] = load(t.y, j);
  for (size_t s = 0; s < t.samples; s++) {
    const size_t* offsets = t.offsets + 4 * s;
    const float* weights = t.weights + 4 * s;
    Vec sum[kVectors];
    LOWP_UNROLL for (size_t k = 0; k < 4; k++) {
      const Vec w = Set(weights[k]);
      LOWP_UNROLL for (size_t j = 0; j < kVectors; j++) {
        const Vec x = load(t.x + offsets[k], j);
        if (!kLargest) {
          y[j] = Fma(w, x, y[j]);
        } else {
          sum[j] = k == 0 ? Mul(w, x) : Fma(w, x, sum[j]);
        }
      }
    }
    if (kLargest) {
      LOWP_UNROLL for (size_t j = 0; j < kVectors; j++) y[j] = Max(sum[j], y[j]);
    }
  }
  LOWP_UNROLL for (size_t j = 0; j < kVectors; j++) {
    float* to = t.y + i + j * kLanes;
    if (j + 1 < kVectors || whole) {
      Store(to, y[j]);
    } else {
      StorePart(to, y[j], count);
    }
  }
}

template <bool kLargest>
void Sample(const SampleTask& t) {
  size_t i = 0;
  for (; i + 4 * kLanes <= t.channels; i += 4 * kLanes) SampleBlock<4, kLargest>(t, i, kLanes);
  for (; i < t.channels; i += kLanes) SampleBlock<1, kLargest>(t, i, t.channels - i < kLanes ? t.channels - i : kLanes);
}

template <size_t kVectors>
LOWP_INLINE void LargestBlock(const PixelsTask& t, size_t i, size_t count) {
  const bool whole = count == kLanes;
  Vec most[kVectors];
  LOWP_UNROLL for (size_t j = 0; j < kVectors; j++) most[j] = Set(-__builtin_inff());
  for (size_t row = 0; row < t.rows; row++) {
    const float* x = t.x + row * t.line + i;
    for (size_t column = 0; column < t.columns; column++, x += t.channels) {
      LOWP_UNROLL for (size_t j = 0; j < kVectors; j++) {
        const float* from = x + j * kLanes;
        most[j] = Max(j + 1 < kVectors || whole ? Load(from) : LoadPart(from, count), most[j]);
      }
    }
  }
  LOWP_UNROLL for (size_t j = 0; j < kVectors; j++) {
    float* to = t.y + i + j * kLanes;
    if (j + 1 < kVectors || whole) {
      Store(to, most[j]);
    } else {
      StorePart(to, most[j], count);
    }
  }
}

void LargestPixel(const PixelsTask& t) {
  size_t i = 0;
  for (; i + 4 * kLanes <= t.channels; i += 4 * kLanes) LargestBlock<4>(t, i, kLanes);
  for (; i < t.channels; i += kLanes) LargestBlock<1>(t, i, t.channels - i < kLanes ? t.channels - i : kLanes);
}

}  // namespace
}  // namespace lowp
