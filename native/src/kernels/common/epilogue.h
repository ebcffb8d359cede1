// What happens to an accumulator of a convolution or a matrix product before it is stored.
//
// Per output element n of a pixel, in this order, fma being one rounding and every other operation one more:
//   f32 accumulator   v = acc + bias[n]
//   s32 accumulator   v = fma(float(acc), scale[n], bias[n])
//   mid               v = fma(min(max(rint(v), mid_low), mid_high), mid_scale, mid_bias)
//   residual          v = fma(float(residual[n]), residual_scale, v)
//   f32 output        y = min(max(v, low), high)
//   u8 output         y = rint(v) saturated to [0, 255], NaN is 0; then min(max(y, bound_low[n]), bound_high[n])
// max(v, b) is v > b ? v : b and min(v, b) is v < b ? v : b, as maxps and minps have it: a NaN becomes the bound.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

// Elements behind the last channel that the arrays of an Epilogue can be read for; the values are not used.
constexpr size_t kEpilogueSlack = 64;

enum class ResidualKind : uint32_t { kNone = 0, kU8 = 1, kF32 = 2 };

// Borrowed arrays have one entry per output channel and kEpilogueSlack more.
struct Epilogue {
  const float* scale = nullptr;        // null for f32 accumulators
  const float* bias = nullptr;         // never null; -0 (f32 accumulators) or +0 (s32) when the call has none
  const uint8_t* bound_low = nullptr;  // both or none
  const uint8_t* bound_high = nullptr;
  ResidualKind residual = ResidualKind::kNone;
  bool u8_output = false;
  bool mid = false;
  bool limit = true;                   // u8 output: |v| may reach 2^31, where cvtps2dq does not saturate
  float mid_scale = 1, mid_bias = 0, mid_low = 0, mid_high = 0;
  float residual_scale = 1;
  float low = 0, high = 0;
};

}  // namespace lowp
