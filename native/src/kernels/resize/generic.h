// `resize` over the vector interface; include a simd/vec_*.h before this file. With one lane it defines the results.
#pragma once
#include "kernels/resize/rows.h"

namespace lowp {
namespace {

using namespace simd;

template <bool kPart>
LOWP_INLINE void BlendVector(const ResizeTask& t, size_t output, size_t i, size_t count) {
  const auto load = [count](const float* p) { return kPart ? LoadPart(p, count) : Load(p); };
  const size_t* offsets = t.offsets + output * t.taps;
  const float* weights = t.weights + output * t.taps;
  Vec sum = Mul(Set(weights[0]), load(t.x + offsets[0] + i));
  for (size_t k = 1; k < t.taps; k++) sum = Fma(Set(weights[k]), load(t.x + offsets[k] + i), sum);
  float* y = t.y + output * t.stride + i;
  if (kPart) {
    StorePart(y, sum, count);
  } else {
    Store(y, sum);
  }
}

void Blend(const ResizeTask& t) {
  for (size_t output = 0; output < t.count; output++) {
    size_t i = 0;
    for (; i + kLanes <= t.n; i += kLanes) BlendVector<false>(t, output, i, kLanes);
    if (i < t.n) BlendVector<true>(t, output, i, t.n - i);
  }
}

}  // namespace
}  // namespace lowp
