// `lut` with AVX2: sixteen tables of sixteen bytes, one shuffle each.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/lut/rows.h"
#include "simd/inline.h"

namespace lowp {
namespace {

// vpshufb gives 0 for an index byte with its top bit set and otherwise looks at the low four bits. Counting x down by
// 16 per step, with saturation so that negative stays negative, step k sees x >= 16 k only. With D[0] = T[0] and D[k] =
// T[k] ^ T[k - 1] of the sixteen-byte tables T, the exclusive or of all steps is T[x / 16][x % 16].
struct Tables {
  alignas(32) uint8_t half[2][8][32];  // x < 128 and x >= 128
};

LOWP_INLINE void MakeTables(const uint8_t* table, Tables* out) {
  for (size_t h = 0; h < 2; h++) {
    __m128i before = _mm_setzero_si128();
    for (size_t k = 0; k < 8; k++) {
      const __m128i t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + h * 128 + k * 16));
      const __m256i d = _mm256_broadcastsi128_si256(_mm_xor_si128(t, before));
      _mm256_store_si256(reinterpret_cast<__m256i*>(out->half[h][k]), d);
      before = t;
    }
  }
}

LOWP_INLINE __m256i Shuffle(const uint8_t* table, __m256i index) {
  return _mm256_shuffle_epi8(_mm256_load_si256(reinterpret_cast<const __m256i*>(table)), index);
}

LOWP_INLINE __m256i LookUp(const Tables& t, __m256i x) {
  const __m256i sixteen = _mm256_set1_epi8(16);
  __m256i low = x, high = _mm256_xor_si256(x, _mm256_set1_epi8(-128));
  __m256i y = _mm256_xor_si256(Shuffle(t.half[0][0], low), Shuffle(t.half[1][0], high));
#pragma GCC unroll 8
  for (size_t k = 1; k < 8; k++) {
    low = _mm256_subs_epi8(low, sixteen);
    high = _mm256_subs_epi8(high, sixteen);
    y = _mm256_xor_si256(y, _mm256_xor_si256(Shuffle(t.half[0][k], low), Shuffle(t.half[1][k], high)));
  }
  return y;
}

void Run(const uint8_t* x, const uint8_t* table, uint8_t* y, size_t n) {
  Tables tables;
  MakeTables(table, &tables);
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const __m256i a = LookUp(tables, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i)));
    const __m256i b = LookUp(tables, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i + 32)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), a);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i + 32), b);
  }
  for (; i < n; i++) y[i] = table[x[i]];
}

}  // namespace

const LutRows lut_u8_avx2_64 = {Run};

}  // namespace lowp
#endif
