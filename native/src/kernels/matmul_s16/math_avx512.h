// What the AVX-512 rows of `matmul_s16` share (tile.h); each adds its Dot. For ISA files only.
#pragma once
#include "kernels/common/epilogue_avx512.h"
#include "kernels/matmul_s16/tile.h"

namespace lowp {
namespace {

struct Math512 {
  static constexpr int kLanes = 16;
  using Ints = __m512i;
  using Floats = __m512;
  struct Doubles {
    __m512d first, second;
  };

  static LOWP_INLINE __m512i Set(int32_t v) { return _mm512_set1_epi32(v); }
  static LOWP_INLINE __m512i Load(const int16_t* p) { return _mm512_load_si512(p); }
  static LOWP_INLINE __m512i Broadcast(const int16_t* p) {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    return _mm512_set1_epi32(pair);
  }
  static LOWP_INLINE void Fold(__m512i acc, __m512i* high, __m512i* low) {
    *high = _mm512_add_epi32(*high, _mm512_srai_epi32(acc, 16));
    *low = _mm512_add_epi32(*low, _mm512_and_si512(acc, _mm512_set1_epi32(0xFFFF)));
  }
  static LOWP_INLINE __m512d TotalOf(__m256i high, __m256i low) {
    const __m512d sum = _mm512_fmadd_pd(_mm512_cvtepi32_pd(high), _mm512_set1_pd(0x1p16), _mm512_cvtepi32_pd(low));
    return _mm512_add_pd(sum, _mm512_set1_pd(0x1p31));
  }
  static LOWP_INLINE Doubles Total(__m512i high, __m512i low) {
    return {TotalOf(_mm512_castsi512_si256(high), _mm512_castsi512_si256(low)),
            TotalOf(_mm512_extracti64x4_epi64(high, 1), _mm512_extracti64x4_epi64(low, 1))};
  }
  static LOWP_INLINE __m512 Scale(const Doubles& v, const float* scale, const float* bias) {
    const __m256 first = _mm512_cvtpd_ps(v.first), second = _mm512_cvtpd_ps(v.second);
    const __m512 acc = _mm512_insertf32x8(_mm512_castps256_ps512(first), second, 1);
    return _mm512_fmadd_ps(acc, _mm512_loadu_ps(scale), _mm512_loadu_ps(bias));
  }
  static LOWP_INLINE __m512d Added(__m512d v, const int32_t* p) {
    return _mm512_add_pd(v, _mm512_cvtepi32_pd(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
  }
  static LOWP_INLINE Doubles Add(const Doubles& v, const int32_t* p) {
    return {Added(v.first, p), Added(v.second, p + 8)};
  }
  static LOWP_INLINE __m256i Saturated(__m512d v) {
    v = _mm512_min_pd(_mm512_max_pd(v, _mm512_set1_pd(-0x1p31)), _mm512_set1_pd(0x1p31 - 1));
    return _mm512_cvtpd_epi32(v);
  }
  static LOWP_INLINE __m512i Saturate(const Doubles& v) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(Saturated(v.first)), Saturated(v.second), 1);
  }
  static LOWP_INLINE void Store(int32_t* p, __m512i v, size_t count) {
    _mm512_mask_storeu_epi32(p, FirstLanes(count), v);
  }
};

}  // namespace
}  // namespace lowp
