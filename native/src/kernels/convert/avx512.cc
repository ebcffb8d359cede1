// `convert` with AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/convert/rows.h"

namespace lowp {
namespace {

__m128i Load16Bytes(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
__m256i Load32Bytes(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

struct FromU8 {
  static __m512 Load(const uint8_t* p) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(Load16Bytes(p))); }
};
struct FromI8 {
  static __m512 Load(const int8_t* p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(Load16Bytes(p))); }
};
struct FromI16 {
  static __m512 Load(const int16_t* p) { return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(Load32Bytes(p))); }
};
struct FromI32 {
  static __m512 Load(const int32_t* p) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(p)); }
};
struct FromI64 {
  static __m512 Load(const int64_t* p) {
    const __m256 low = _mm512_cvtepi64_ps(_mm512_loadu_si512(p));
    const __m256 high = _mm512_cvtepi64_ps(_mm512_loadu_si512(p + 8));
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
  }
};
struct FromF16 {
  static __m512 Load(const uint16_t* p) { return _mm512_cvtph_ps(Load32Bytes(p)); }
};
struct FromBoolean {
  static __m512 Load(const uint8_t* p) {
    const __m128i bytes = Load16Bytes(p);
    return _mm512_maskz_mov_ps(_mm_test_epi8_mask(bytes, bytes), _mm512_set1_ps(1.0f));
  }
};

// Whole vectors here, the rest in the scalar row.
template <class From, class T, ConvertFunction ConvertRows::*kRest>
void Run(const void* x, float* y, size_t n) {
  const T* values = static_cast<const T*>(x);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) _mm512_storeu_ps(y + i, From::Load(values + i));
  if (i < n) (convert_f32_scalar.*kRest)(values + i, y + i, n - i);
}

void RunF32(const void* x, float* y, size_t n) { convert_f32_scalar.f32(x, y, n); }

}  // namespace

const ConvertRows convert_f32_avx512_16 = {
    RunF32,
    Run<FromU8, uint8_t, &ConvertRows::u8>,
    Run<FromI8, int8_t, &ConvertRows::i8>,
    Run<FromI32, int32_t, &ConvertRows::i32>,
    Run<FromI64, int64_t, &ConvertRows::i64>,
    Run<FromF16, uint16_t, &ConvertRows::f16>,
    Run<FromI16, int16_t, &ConvertRows::i16>,
    Run<FromBoolean, uint8_t, &ConvertRows::boolean>,
};

}  // namespace lowp
#endif
