// The vector interface of vec_scalar.h with sixteen lanes, for files compiled with AVX-512 F, BW, VL and DQ.
#pragma once
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "simd/inline.h"

namespace lowp::simd {
namespace {

using Vec = __m512;
using Mask = __mmask16;
using Bytes = __m512i;
constexpr size_t kLanes = 16;

LOWP_INLINE Vec Set(float v) { return _mm512_set1_ps(v); }

// One bit for each of the first n lanes, n <= 16; FirstBytes: n <= 64.
LOWP_INLINE __mmask16 FirstLanes(size_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
LOWP_INLINE __mmask64 FirstBytes(size_t n) { return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1; }
LOWP_INLINE Vec Load(const float* p) { return _mm512_loadu_ps(p); }
LOWP_INLINE Vec LoadPart(const float* p, size_t n) { return _mm512_maskz_loadu_ps(FirstLanes(n), p); }
LOWP_INLINE void Store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
LOWP_INLINE void StorePart(float* p, Vec v, size_t n) { _mm512_mask_storeu_ps(p, FirstLanes(n), v); }
LOWP_INLINE Vec Add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
LOWP_INLINE Vec Sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
LOWP_INLINE Vec Mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
LOWP_INLINE Vec Div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
LOWP_INLINE Vec Fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
LOWP_INLINE Vec Max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
LOWP_INLINE Vec Min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
LOWP_INLINE Vec Sqrt(Vec v) { return _mm512_sqrt_ps(v); }
LOWP_INLINE Vec Abs(Vec v) { return _mm512_andnot_ps(Set(-0.0f), v); }
LOWP_INLINE Vec Negate(Vec v) { return _mm512_xor_ps(v, Set(-0.0f)); }
LOWP_INLINE Vec RoundEven(Vec v) { return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
LOWP_INLINE Mask Less(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
LOWP_INLINE Mask LessOrEqual(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
LOWP_INLINE Vec Select(Mask m, Vec yes, Vec no) { return _mm512_mask_blend_ps(m, no, yes); }
LOWP_INLINE Vec CopySign(Vec magnitude, Vec sign) {
  return _mm512_or_ps(_mm512_andnot_ps(Set(-0.0f), magnitude), _mm512_and_ps(Set(-0.0f), sign));
}

constexpr float kRoundingShift = 12582912.0f;
constexpr uint32_t kRootOfHalf = 0x3f3504f3;

LOWP_INLINE Vec SplitPower(Vec x, Vec* m) {
  const __m512i root = _mm512_set1_epi32(kRootOfHalf);
  const __m512i above = _mm512_sub_epi32(_mm512_castps_si512(x), root);
  *m = _mm512_castsi512_ps(_mm512_add_epi32(_mm512_and_si512(above, _mm512_set1_epi32(0x7fffff)), root));
  return _mm512_cvtepi32_ps(_mm512_srai_epi32(above, 23));
}

LOWP_INLINE Vec ScaleByPower(Vec p, Vec, Vec n) { return _mm512_scalef_ps(p, n); }

// The first n lanes of v, `other` in the rest.
LOWP_INLINE Vec KeepFirst(Vec v, size_t n, Vec other) { return _mm512_mask_blend_ps(FirstLanes(n), other, v); }

LOWP_INLINE float HorizontalMax(Vec v) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}
LOWP_INLINE float HorizontalMin(Vec v) { return -HorizontalMax(Negate(v)); }

// Groups of sixteen: element i is in lane i mod kLanes of part i / kLanes.
constexpr size_t kParts = 16 / kLanes;

// s[j] += s[j + 8] for j < 8, then likewise with 4, 2 and 1.
LOWP_INLINE float TreeSum(const Vec (&s)[kParts]) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(s[0]), _mm512_extractf32x8_ps(s[0], 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// kLanes doubles.
struct Wide {
  __m512d low, high;
};
LOWP_INLINE Wide ZeroWide() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
LOWP_INLINE Wide AddWide(Wide s, Vec v) {
  return {_mm512_add_pd(s.low, _mm512_cvtps_pd(_mm512_castps512_ps256(v))),
          _mm512_add_pd(s.high, _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1)))};
}
LOWP_INLINE void StoreWide(double* p, Wide s) {
  _mm512_storeu_pd(p, s.low);
  _mm512_storeu_pd(p + 8, s.high);
}
// The sum of sixteen doubles in the order of TreeSum.
LOWP_INLINE double TreeSum(const Wide (&s)[kParts]) {
  const __m512d eight = _mm512_add_pd(s[0].low, s[0].high);
  const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

// Ints: kLanes 32-bit values.
using Ints = __m512i;
LOWP_INLINE Ints SetInts(uint32_t v) { return _mm512_set1_epi32(static_cast<int>(v)); }
LOWP_INLINE Ints LoadInts(const void* p) { return _mm512_loadu_si512(p); }
LOWP_INLINE void StoreInts(void* p, Ints v) { _mm512_storeu_si512(p, v); }
LOWP_INLINE void StoreIntsPart(void* p, Ints v, size_t n) { _mm512_mask_storeu_epi32(p, FirstLanes(n), v); }
LOWP_INLINE Ints Or(Ints a, Ints b) { return _mm512_or_si512(a, b); }
LOWP_INLINE Ints And(Ints a, Ints b) { return _mm512_and_si512(a, b); }
LOWP_INLINE Ints ShiftLeft(Ints v, uint32_t bits) { return _mm512_sllv_epi32(v, SetInts(bits)); }
LOWP_INLINE Ints ShiftRight(Ints v, uint32_t bits) { return _mm512_srlv_epi32(v, SetInts(bits)); }
LOWP_INLINE Vec IntsToFloat(Ints v) { return _mm512_cvtepi32_ps(v); }

// Bytes: 4 * kLanes unsigned 8-bit values.

LOWP_INLINE Bytes LoadBytes(const uint8_t* p) { return _mm512_loadu_si512(p); }
LOWP_INLINE Bytes LoadBytesPart(const uint8_t* p, size_t n) { return _mm512_maskz_loadu_epi8(FirstBytes(n), p); }
LOWP_INLINE void StoreBytes(uint8_t* p, Bytes v) { _mm512_storeu_si512(p, v); }
LOWP_INLINE void StoreBytesPart(uint8_t* p, Bytes v, size_t n) { _mm512_mask_storeu_epi8(p, FirstBytes(n), v); }
LOWP_INLINE Bytes MaxBytes(Bytes a, Bytes b) { return _mm512_max_epu8(a, b); }
LOWP_INLINE Bytes MinBytes(Bytes a, Bytes b) { return _mm512_min_epu8(a, b); }
LOWP_INLINE Bytes SetBytes(uint8_t v) { return _mm512_set1_epi8(static_cast<char>(v)); }

// round_even(v), NaN and values below 2^31 as cvtps2dq gives them; v must be less than 2^31 or NaN.
LOWP_INLINE __m512i RoundToInts(Vec v) { return _mm512_cvtps_epi32(v); }

// round_even saturated to [0, 255] of 4 * kLanes values in order, NaN gives 0.
LOWP_INLINE Bytes RoundToBytes(Vec v0, Vec v1, Vec v2, Vec v3) {
  const Vec top = Set(255.0f);
  const __m512i low = _mm512_packs_epi32(RoundToInts(Min(top, v0)), RoundToInts(Min(top, v1)));
  const __m512i high = _mm512_packs_epi32(RoundToInts(Min(top, v2)), RoundToInts(Min(top, v3)));
  const __m512i mixed = _mm512_packus_epi16(low, high);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, mixed);
}

// kLanes bytes as floats.
LOWP_INLINE Vec BytesToFloat(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
LOWP_INLINE Vec BytesToFloatPart(const uint8_t* p, size_t n) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(FirstLanes(n), p)));
}

}  // namespace
}  // namespace lowp::simd
