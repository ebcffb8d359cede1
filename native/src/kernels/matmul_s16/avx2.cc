// `matmul_s16` with AVX2.
#if defined(__x86_64__)
#include "kernels/common/epilogue_avx2.h"
#include "kernels/matmul_s16/tile.h"

namespace lowp {
namespace {

struct Avx2Math {
  static constexpr int kLanes = 8;
  using Ints = __m256i;
  using Floats = __m256;
  struct Doubles {
    __m256d first, second;
  };

  static LOWP_INLINE __m256i Set(int32_t v) { return _mm256_set1_epi32(v); }
  static LOWP_INLINE __m256i Load(const int16_t* p) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(p)); }
  static LOWP_INLINE __m256i Broadcast(const int16_t* p) {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    return _mm256_set1_epi32(pair);
  }
  static LOWP_INLINE __m256i Dot(__m256i acc, __m256i x, __m256i w) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
  }
  static LOWP_INLINE void Fold(__m256i acc, __m256i* high, __m256i* low) {
    *high = _mm256_add_epi32(*high, _mm256_srai_epi32(acc, 16));
    *low = _mm256_add_epi32(*low, _mm256_and_si256(acc, _mm256_set1_epi32(0xFFFF)));
  }
  static LOWP_INLINE __m256d TotalOf(__m128i high, __m128i low) {
    const __m256d sum = _mm256_fmadd_pd(_mm256_cvtepi32_pd(high), _mm256_set1_pd(0x1p16), _mm256_cvtepi32_pd(low));
    return _mm256_add_pd(sum, _mm256_set1_pd(0x1p31));
  }
  static LOWP_INLINE Doubles Total(__m256i high, __m256i low) {
    return {TotalOf(_mm256_castsi256_si128(high), _mm256_castsi256_si128(low)),
            TotalOf(_mm256_extracti128_si256(high, 1), _mm256_extracti128_si256(low, 1))};
  }
  static LOWP_INLINE __m256 Scale(const Doubles& v, const float* scale, const float* bias) {
    const __m256 acc = _mm256_set_m128(_mm256_cvtpd_ps(v.second), _mm256_cvtpd_ps(v.first));
    return _mm256_fmadd_ps(acc, _mm256_loadu_ps(scale), _mm256_loadu_ps(bias));
  }
  static LOWP_INLINE __m256d Added(__m256d v, const int32_t* p) {
    return _mm256_add_pd(v, _mm256_cvtepi32_pd(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static LOWP_INLINE Doubles Add(const Doubles& v, const int32_t* p) {
    return {Added(v.first, p), Added(v.second, p + 4)};
  }
  static LOWP_INLINE __m128i Saturated(__m256d v) {
    v = _mm256_min_pd(_mm256_max_pd(v, _mm256_set1_pd(-0x1p31)), _mm256_set1_pd(0x1p31 - 1));
    return _mm256_cvtpd_epi32(v);
  }
  static LOWP_INLINE __m256i Saturate(const Doubles& v) {
    return _mm256_set_m128i(Saturated(v.second), Saturated(v.first));
  }
  static LOWP_INLINE void Store(int32_t* p, __m256i v, size_t count) {
    if (count >= 8) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
    _mm256_maskstore_epi32(p, FirstLanes(count), v);
  }
};

}  // namespace

const MatmulS16Rows matmul_s16_avx2_4x16 = {8, 2, RunPanel<Avx2Math, 4>};

}  // namespace lowp
#endif
