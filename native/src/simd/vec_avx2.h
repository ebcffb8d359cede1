// The vector interface of vec_scalar.h with eight lanes, for files compiled with AVX2, FMA and F16C.
#pragma once
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "simd/inline.h"

namespace lowp::simd {
namespace {

using Vec = __m256;
using Mask = __m256;
using Bytes = __m256i;
constexpr size_t kLanes = 8;

LOWP_INLINE Vec Set(float v) { return _mm256_set1_ps(v); }

// All ones in the first n lanes, n <= 8.
LOWP_INLINE __m256i FirstLanes(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
LOWP_INLINE Vec Load(const float* p) { return _mm256_loadu_ps(p); }
LOWP_INLINE Vec LoadPart(const float* p, size_t n) { return _mm256_maskload_ps(p, FirstLanes(n)); }
LOWP_INLINE void Store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
LOWP_INLINE void StorePart(float* p, Vec v, size_t n) { _mm256_maskstore_ps(p, FirstLanes(n), v); }
LOWP_INLINE Vec Add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
LOWP_INLINE Vec Sub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
LOWP_INLINE Vec Mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
LOWP_INLINE Vec Div(Vec a, Vec b) { return _mm256_div_ps(a, b); }
LOWP_INLINE Vec Fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
LOWP_INLINE Vec Max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
LOWP_INLINE Vec Min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
LOWP_INLINE Vec Sqrt(Vec v) { return _mm256_sqrt_ps(v); }
LOWP_INLINE Vec Abs(Vec v) { return _mm256_andnot_ps(Set(-0.0f), v); }
LOWP_INLINE Vec Negate(Vec v) { return _mm256_xor_ps(v, Set(-0.0f)); }
LOWP_INLINE Vec RoundEven(Vec v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
LOWP_INLINE Mask Less(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
LOWP_INLINE Mask LessOrEqual(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
LOWP_INLINE Vec Select(Mask m, Vec yes, Vec no) { return _mm256_blendv_ps(no, yes, m); }
LOWP_INLINE Vec CopySign(Vec magnitude, Vec sign) {
  return _mm256_or_ps(_mm256_andnot_ps(Set(-0.0f), magnitude), _mm256_and_ps(Set(-0.0f), sign));
}

constexpr float kRoundingShift = 12582912.0f;
constexpr uint32_t kRootOfHalf = 0x3f3504f3;

LOWP_INLINE Vec SplitPower(Vec x, Vec* m) {
  const __m256i root = _mm256_set1_epi32(kRootOfHalf);
  const __m256i above = _mm256_sub_epi32(_mm256_castps_si256(x), root);
  *m = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_and_si256(above, _mm256_set1_epi32(0x7fffff)), root));
  return _mm256_cvtepi32_ps(_mm256_srai_epi32(above, 23));
}

LOWP_INLINE Vec ScaleByPower(Vec p, Vec shifted, Vec) {
  const __m256i n = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_castps_si256(Set(kRoundingShift)));
  const __m256i half = _mm256_srai_epi32(n, 1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(n, half), bias), 23);
  return Mul(Mul(p, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
}

// The first n lanes of v, `other` in the rest.
LOWP_INLINE Vec KeepFirst(Vec v, size_t n, Vec other) {
  return _mm256_blendv_ps(other, v, _mm256_castsi256_ps(FirstLanes(n)));
}

LOWP_INLINE float HorizontalMax(Vec v) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}
LOWP_INLINE float HorizontalMin(Vec v) { return -HorizontalMax(Negate(v)); }

// Groups of sixteen: element i is in lane i mod kLanes of part i / kLanes.
constexpr size_t kParts = 16 / kLanes;

// s[j] += s[j + 8] for j < 8, then likewise with 4, 2 and 1.
LOWP_INLINE float TreeSum(const Vec (&s)[kParts]) {
  const Vec eight = _mm256_add_ps(s[0], s[1]);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// kLanes doubles.
struct Wide {
  __m256d low, high;
};
LOWP_INLINE Wide ZeroWide() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
LOWP_INLINE Wide AddWide(Wide s, Vec v) {
  return {_mm256_add_pd(s.low, _mm256_cvtps_pd(_mm256_castps256_ps128(v))),
          _mm256_add_pd(s.high, _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)))};
}
LOWP_INLINE void StoreWide(double* p, Wide s) {
  _mm256_storeu_pd(p, s.low);
  _mm256_storeu_pd(p + 4, s.high);
}
// The sum of sixteen doubles in the order of TreeSum.
LOWP_INLINE double TreeSum(const Wide (&s)[kParts]) {
  const __m256d four = _mm256_add_pd(_mm256_add_pd(s[0].low, s[1].low), _mm256_add_pd(s[0].high, s[1].high));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

// Ints: kLanes 32-bit values.
using Ints = __m256i;
LOWP_INLINE Ints SetInts(uint32_t v) { return _mm256_set1_epi32(static_cast<int>(v)); }
LOWP_INLINE Ints LoadInts(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
LOWP_INLINE void StoreInts(void* p, Ints v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
LOWP_INLINE void StoreIntsPart(void* p, Ints v, size_t n) {
  _mm256_maskstore_epi32(static_cast<int*>(p), FirstLanes(n), v);
}
LOWP_INLINE Ints Or(Ints a, Ints b) { return _mm256_or_si256(a, b); }
LOWP_INLINE Ints And(Ints a, Ints b) { return _mm256_and_si256(a, b); }
LOWP_INLINE Ints ShiftLeft(Ints v, uint32_t bits) { return _mm256_sllv_epi32(v, SetInts(bits)); }
LOWP_INLINE Ints ShiftRight(Ints v, uint32_t bits) { return _mm256_srlv_epi32(v, SetInts(bits)); }
LOWP_INLINE Vec IntsToFloat(Ints v) { return _mm256_cvtepi32_ps(v); }

// Bytes: 4 * kLanes unsigned 8-bit values.

LOWP_INLINE Bytes LoadBytes(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
LOWP_INLINE Bytes LoadBytesPart(const uint8_t* p, size_t n) {
  alignas(32) uint8_t staged[32] = {};
  __builtin_memcpy(staged, p, n);
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(staged));
}
LOWP_INLINE void StoreBytes(uint8_t* p, Bytes v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
LOWP_INLINE void StoreBytesPart(uint8_t* p, Bytes v, size_t n) {
  alignas(32) uint8_t staged[32];
  _mm256_store_si256(reinterpret_cast<__m256i*>(staged), v);
  __builtin_memcpy(p, staged, n);
}
LOWP_INLINE Bytes MaxBytes(Bytes a, Bytes b) { return _mm256_max_epu8(a, b); }
LOWP_INLINE Bytes MinBytes(Bytes a, Bytes b) { return _mm256_min_epu8(a, b); }
LOWP_INLINE Bytes SetBytes(uint8_t v) { return _mm256_set1_epi8(static_cast<char>(v)); }

// round_even(v), NaN and values below 2^31 as cvtps2dq gives them; v must be less than 2^31 or NaN.
LOWP_INLINE __m256i RoundToInts(Vec v) { return _mm256_cvtps_epi32(v); }

// round_even saturated to [0, 255] of 4 * kLanes values in order, NaN gives 0.
LOWP_INLINE Bytes RoundToBytes(Vec v0, Vec v1, Vec v2, Vec v3) {
  const Vec top = Set(255.0f);
  const __m256i low = _mm256_packs_epi32(RoundToInts(Min(top, v0)), RoundToInts(Min(top, v1)));
  const __m256i high = _mm256_packs_epi32(RoundToInts(Min(top, v2)), RoundToInts(Min(top, v3)));
  const __m256i mixed = _mm256_packus_epi16(low, high);
  return _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

// kLanes bytes as floats.
LOWP_INLINE Vec BytesToFloat(const uint8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
LOWP_INLINE Vec BytesToFloatPart(const uint8_t* p, size_t n) {
  alignas(8) uint8_t staged[8] = {};
  __builtin_memcpy(staged, p, n);
  return BytesToFloat(staged);
}

}  // namespace
}  // namespace lowp::simd
