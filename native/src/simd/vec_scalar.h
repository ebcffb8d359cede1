// The vector interface with one lane, for code without vector instructions; its formulas define the other two.
//
// Include exactly one of vec_scalar.h, vec_avx2.h, vec_avx512.h in a source file. All functions round to nearest even.
//   Max(a, b) = a > b ? a : b and Min(a, b) = a < b ? a : b, so that b is the result when an operand is NaN.
//   Less is false for NaN. Select(m, a, b) = m ? a : b.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "simd/inline.h"

namespace lowp::simd {
namespace {

using Vec = float;
using Mask = bool;
constexpr size_t kLanes = 1;

LOWP_INLINE uint32_t BitsOf(float v) { return __builtin_bit_cast(uint32_t, v); }
LOWP_INLINE float FloatOf(uint32_t bits) { return __builtin_bit_cast(float, bits); }

LOWP_INLINE Vec Set(float v) { return v; }
LOWP_INLINE Vec Load(const float* p) { return *p; }
LOWP_INLINE Vec LoadPart(const float* p, size_t n) { return n ? *p : 0.0f; }
LOWP_INLINE void Store(float* p, Vec v) { *p = v; }
LOWP_INLINE void StorePart(float* p, Vec v, size_t n) {
  if (n) *p = v;
}
LOWP_INLINE Vec Add(Vec a, Vec b) { return a + b; }
LOWP_INLINE Vec Sub(Vec a, Vec b) { return a - b; }
LOWP_INLINE Vec Mul(Vec a, Vec b) { return a * b; }
LOWP_INLINE Vec Div(Vec a, Vec b) { return a / b; }
// a * b + c, rounded once.
LOWP_INLINE Vec Fma(Vec a, Vec b, Vec c) { return std::fmaf(a, b, c); }
LOWP_INLINE Vec Max(Vec a, Vec b) { return a > b ? a : b; }
LOWP_INLINE Vec Min(Vec a, Vec b) { return a < b ? a : b; }
LOWP_INLINE Vec Sqrt(Vec v) { return std::sqrt(v); }
LOWP_INLINE Vec Abs(Vec v) { return FloatOf(BitsOf(v) & 0x7fffffffu); }
LOWP_INLINE Vec Negate(Vec v) { return FloatOf(BitsOf(v) ^ 0x80000000u); }
LOWP_INLINE Vec RoundEven(Vec v) { return std::nearbyintf(v); }
LOWP_INLINE Mask Less(Vec a, Vec b) { return a < b; }
LOWP_INLINE Mask LessOrEqual(Vec a, Vec b) { return a <= b; }
LOWP_INLINE Vec Select(Mask m, Vec yes, Vec no) { return m ? yes : no; }
// The magnitude with the sign bit of `sign`.
LOWP_INLINE Vec CopySign(Vec magnitude, Vec sign) {
  return FloatOf((BitsOf(magnitude) & 0x7fffffffu) | (BitsOf(sign) & 0x80000000u));
}

// 1.5 * 2^23: adding it to |v| < 2^22 rounds v to an integer, which the low mantissa bits then hold.
constexpr float kRoundingShift = 12582912.0f;

// The bits of sqrt(1/2).
constexpr uint32_t kRootOfHalf = 0x3f3504f3;

// p * 2^n, rounded once, for n = shifted - kRoundingShift, an integer in [-252, 254], and p in [0.5, 2).
// In two steps, the first of which is exact, so that 2^n may lie outside the range of normal numbers.
LOWP_INLINE Vec ScaleByPower(Vec p, Vec shifted, Vec) {
  const uint32_t n = BitsOf(shifted) - BitsOf(kRoundingShift);
  const uint32_t half = static_cast<uint32_t>(static_cast<int32_t>(n) >> 1);
  return p * FloatOf((half + 127u) << 23) * FloatOf((n - half + 127u) << 23);
}

// x = m * 2^e for a positive, normal and finite x: e, and m in [sqrt(1/2), sqrt(2)).
LOWP_INLINE Vec SplitPower(Vec x, Vec* m) {
  const uint32_t above = BitsOf(x) - kRootOfHalf;
  *m = FloatOf((above & 0x7fffffu) + kRootOfHalf);
  return static_cast<float>(static_cast<int32_t>(above) >> 23);
}

}  // namespace
}  // namespace lowp::simd
