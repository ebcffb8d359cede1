// The gemm rows for AVX-512 without VNNI: f32, and two integer rows.
#if defined(__x86_64__)
#include "kernels/gemm/tile_avx512.h"

namespace lowp {
namespace {

// Pairs of products in s16, exact for pair-safe weights.
struct PairSafeMath : IntegerMath {
  template <int R, int V>
  static LOWP_INLINE void Step(__m512i (&acc)[R][V], const uint8_t* const (&x)[R], size_t k, const uint8_t* weights) {
    const __m512i ones = _mm512_set1_epi16(1);
    __m512i w[V];
    LOWP_UNROLL for (int j = 0; j < V; j++) w[j] = _mm512_load_si512(weights + j * 64);
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      const __m512i value = Broadcast(x[i] + k);
      LOWP_UNROLL for (int j = 0; j < V; j++) {
        const __m512i pairs = _mm512_maddubs_epi16(value, w[j]);
        acc[i][j] = _mm512_add_epi32(acc[i][j], _mm512_madd_epi16(pairs, ones));
      }
    }
  }
};

// Weights widened to s16: elements 0 and 2 of a step against the even bytes of x, 1 and 3 against the odd ones.
struct WideMath : IntegerMath {
  template <int R, int V>
  static LOWP_INLINE void Step(__m512i (&acc)[R][V], const uint8_t* const (&x)[R], size_t k, const uint8_t* weights) {
    const __m512i low_bytes = _mm512_set1_epi16(0xFF);
    __m512i even[V], odd[V];
    LOWP_UNROLL for (int j = 0; j < V; j++) {
      const __m256i* bytes = reinterpret_cast<const __m256i*>(weights + j * 64);
      even[j] = _mm512_cvtepi8_epi16(_mm256_load_si256(bytes));
      odd[j] = _mm512_cvtepi8_epi16(_mm256_load_si256(bytes + 1));
    }
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      const __m512i value = Broadcast(x[i] + k);
      const __m512i even_x = _mm512_and_si512(value, low_bytes), odd_x = _mm512_srli_epi16(value, 8);
      LOWP_UNROLL for (int j = 0; j < V; j++) {
        acc[i][j] = _mm512_add_epi32(acc[i][j], _mm512_madd_epi16(even_x, even[j]));
        acc[i][j] = _mm512_add_epi32(acc[i][j], _mm512_madd_epi16(odd_x, odd[j]));
      }
    }
  }
};

}  // namespace

const GemmRow gemm_f32_avx512_6x64 = {"gemm_f32_avx512_6x64", Isa::kAvx512, Packing::kSingles, false, 16, 4, 8, 6,
                                      RunPanel<FloatMath, 4>};
const GemmRow gemm_u8s8_avx512_pairsafe_6x64 = {
    "gemm_u8s8_avx512_pairsafe_6x64", Isa::kAvx512, Packing::kQuads, true, 16, 4, 8, 6, RunPanel<PairSafeMath, 4>};
const GemmRow gemm_u8s8_avx512_12x32 = {"gemm_u8s8_avx512_12x32", Isa::kAvx512, Packing::kPairs, false, 16, 2, 8, 12,
                                        RunPanel<WideMath, 2>};

}  // namespace lowp
#endif
