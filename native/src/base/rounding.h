// The one rounding of the project: to nearest, ties to even, as MXCSR and np.rint do.
#pragma once
#include <cmath>
#include <cstdint>

namespace lowp {

// v must be finite or infinite, not NaN; values beyond int32 saturate. Relies on the default rounding mode.
inline int32_t RoundToInt(float v) {
  if (v >= 2147483520.0f) return 2147483520;
  if (v <= -2147483648.0f) return INT32_MIN;
  return static_cast<int32_t>(std::nearbyintf(v));
}

// round_even(v) saturated to [0, 255]; NaN becomes 0, as cvtps2dq followed by packus does.
inline uint8_t RoundToU8(float v) {
  if (!(v > 0.0f)) return 0;
  if (v >= 255.0f) return 255;
  return static_cast<uint8_t>(std::nearbyintf(v));
}

}  // namespace lowp
