// `convert` with AVX2 and F16C.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/convert/rows.h"

namespace lowp {
namespace {

__m128i Load8Bytes(const void* p) { return _mm_loadl_epi64(static_cast<const __m128i*>(p)); }
__m128i Load16Bytes(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

struct FromU8 {
  static __m256 Load(const uint8_t* p) { return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(Load8Bytes(p))); }
};
struct FromI8 {
  static __m256 Load(const int8_t* p) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(Load8Bytes(p))); }
};
struct FromI16 {
  static __m256 Load(const int16_t* p) { return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(Load16Bytes(p))); }
};
struct FromI32 {
  static __m256 Load(const int32_t* p) {
    return _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
};
struct FromF16 {
  static __m256 Load(const uint16_t* p) { return _mm256_cvtph_ps(Load16Bytes(p)); }
};
struct FromBoolean {
  static __m256 Load(const uint8_t* p) {
    const __m256i zero = _mm256_cmpeq_epi32(_mm256_cvtepu8_epi32(Load8Bytes(p)), _mm256_setzero_si256());
    return _mm256_andnot_ps(_mm256_castsi256_ps(zero), _mm256_set1_ps(1.0f));
  }
};

// Whole vectors here, the rest in the scalar row.
template <class From, class T, ConvertFunction ConvertRows::*kRest>
void Run(const void* x, float* y, size_t n) {
  const T* values = static_cast<const T*>(x);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(y + i, From::Load(values + i));
  if (i < n) (convert_f32_scalar.*kRest)(values + i, y + i, n - i);
}

// AVX2 has no conversion of 64-bit integers.
void RunI64(const void* x, float* y, size_t n) { convert_f32_scalar.i64(x, y, n); }
void RunF32(const void* x, float* y, size_t n) { convert_f32_scalar.f32(x, y, n); }

}  // namespace

const ConvertRows convert_f32_avx2_8 = {
    RunF32,
    Run<FromU8, uint8_t, &ConvertRows::u8>,
    Run<FromI8, int8_t, &ConvertRows::i8>,
    Run<FromI32, int32_t, &ConvertRows::i32>,
    RunI64,
    Run<FromF16, uint16_t, &ConvertRows::f16>,
    Run<FromI16, int16_t, &ConvertRows::i16>,
    Run<FromBoolean, uint8_t, &ConvertRows::boolean>,
};

}  // namespace lowp
#endif
