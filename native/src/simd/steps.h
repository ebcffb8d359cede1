// Vectors whose lanes are `step` floats apart in memory, over the vector interface; include a simd/vec_*.h before it.
#pragma once
#include <cstddef>

#include "simd/inline.h"

namespace lowp::simd {
namespace {

// n <= kLanes lanes, the others 0.
LOWP_INLINE Vec LoadSteps(const float* p, size_t step, size_t n) {
  alignas(64) float lanes[kLanes] = {};
  if (n == kLanes) {
#pragma GCC unroll 16
    for (size_t i = 0; i < kLanes; i++) lanes[i] = p[i * step];
  } else {
    for (size_t i = 0; i < n; i++) lanes[i] = p[i * step];
  }
  return Load(lanes);
}

// All lanes.
LOWP_INLINE void StoreSteps(float* p, size_t step, Vec v) {
  alignas(64) float lanes[kLanes];
  Store(lanes, v);
#pragma GCC unroll 16
  for (size_t i = 0; i < kLanes; i++) p[i * step] = lanes[i];
}

}  // namespace
}  // namespace lowp::simd
