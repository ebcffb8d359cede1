// `lut` with AVX-512 BW: the table as 128 words in four registers, looked up by two-register word permutes.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/lut/rows.h"

namespace lowp {
namespace {

using namespace simd;

struct Words {
  __m512i w[4];
};

// table[i] in the low byte of every word for index words i = `index`, 0 <= i < 256; the high byte holds anything.
LOWP_INLINE __m512i LookUpWords(const Words& t, __m512i index) {
  const __m512i word = _mm512_srli_epi16(index, 1);
  const __m512i low = _mm512_permutex2var_epi16(t.w[0], word, t.w[1]);
  const __m512i high = _mm512_permutex2var_epi16(t.w[2], word, t.w[3]);
  const __mmask32 upper = _mm512_test_epi16_mask(index, _mm512_set1_epi16(128));
  const __m512i pair = _mm512_mask_blend_epi16(upper, low, high);
  const __mmask32 odd = _mm512_test_epi16_mask(index, _mm512_set1_epi16(1));
  return _mm512_mask_srli_epi16(pair, odd, pair, 8);
}

LOWP_INLINE __m512i LookUp(const Words& t, __m512i x) {
  const __m512i byte = _mm512_set1_epi16(255);
  const __m512i even = _mm512_and_si512(LookUpWords(t, _mm512_and_si512(x, byte)), byte);
  const __m512i odd = _mm512_slli_epi16(LookUpWords(t, _mm512_srli_epi16(x, 8)), 8);
  return _mm512_or_si512(even, odd);
}

void Run(const uint8_t* x, const uint8_t* table, uint8_t* y, size_t n) {
  const Words t = {{LoadBytes(table), LoadBytes(table + 64), LoadBytes(table + 128), LoadBytes(table + 192)}};
  size_t i = 0;
  for (; i + 64 <= n; i += 64) StoreBytes(y + i, LookUp(t, LoadBytes(x + i)));
  if (i < n) StoreBytesPart(y + i, LookUp(t, LoadBytesPart(x + i, n - i)), n - i);
}

}  // namespace

const LutRows lut_u8_avx512_64 = {Run};

}  // namespace lowp
#endif
