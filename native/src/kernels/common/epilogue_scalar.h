// The epilogue (epilogue.h) of one element in plain C++: the reference of the vector forms.
#pragma once
#include <cmath>
#include <cstring>

#include "base/rounding.h"
#include "kernels/common/epilogue.h"

namespace lowp {

inline float MaxOrBound(float v, float bound) { return v > bound ? v : bound; }
inline float MinOrBound(float v, float bound) { return v < bound ? v : bound; }

// Scaled value of an s32 accumulator of channel n.
inline float ScaleAccumulator(const Epilogue& e, int32_t acc, size_t n) {
  return std::fmaf(static_cast<float>(acc), e.scale[n], e.bias[n]);
}

inline float ScaleAccumulator(const Epilogue& e, float acc, size_t n) { return acc + e.bias[n]; }

// Everything after the scaling. `residual` and `y` point at channel 0 of the pixel.
inline void FinishElement(const Epilogue& e, float v, size_t n, const void* residual, void* y) {
  if (e.mid) {
    v = MinOrBound(MaxOrBound(std::nearbyintf(v), e.mid_low), e.mid_high);
    v = std::fmaf(v, e.mid_scale, e.mid_bias);
  }
  if (e.residual == ResidualKind::kU8) {
    v = std::fmaf(static_cast<float>(static_cast<const uint8_t*>(residual)[n]), e.residual_scale, v);
  } else if (e.residual == ResidualKind::kF32) {
    v = std::fmaf(static_cast<const float*>(residual)[n], e.residual_scale, v);
  }
  if (!e.u8_output) {
    static_cast<float*>(y)[n] = MinOrBound(MaxOrBound(v, e.low), e.high);
    return;
  }
  uint8_t q = RoundToU8(v);
  if (e.bound_low) {
    q = q > e.bound_low[n] ? q : e.bound_low[n];
    q = q < e.bound_high[n] ? q : e.bound_high[n];
  }
  static_cast<uint8_t*>(y)[n] = q;
}

}  // namespace lowp
