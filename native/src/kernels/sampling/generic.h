// The weighted sum of pixels over the vector interface; include a simd/vec_*.h before this file.
#pragma once
#include "kernels/sampling/rows.h"

namespace lowp {
namespace {

using namespace simd;

template <bool kPart>
LOWP_INLINE void MixVector(const float* const* taps, const float* weights, size_t count, float* y, size_t c, size_t left) {
  Vec sum = Set(0.0f);
  for (size_t t = 0; t < count; t++) {
    const Vec v = kPart ? LoadPart(taps[t] + c, left) : Load(taps[t] + c);
    sum = Fma(Set(weights[t]), v, sum);
  }
  if (kPart) {
    StorePart(y + c, sum, left);
  } else {
    Store(y + c, sum);
  }
}

void Mix(const float* const* taps, const float* weights, size_t count, float* y, size_t n) {
  size_t c = 0;
  for (; c + kLanes <= n; c += kLanes) MixVector<false>(taps, weights, count, y, c, kLanes);
  if (c < n) MixVector<true>(taps, weights, count, y, c, n - c);
}

}  // namespace
}  // namespace lowp
