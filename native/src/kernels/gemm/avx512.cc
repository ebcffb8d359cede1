// The gemm rows for AVX-512 without VNNI: f32, integers of any weights, and integers of weights that are not sorted by
// proof.
#if defined(__x86_64__)
#include "kernels/gemm/proven_math.h"
#include "kernels/gemm/tile_avx512.h"

namespace lowp {
namespace {

struct Ops {
  using Int = __m512i;
  static LOWP_INLINE __m512i LowBytes(const uint8_t* x) {
    return _mm512_and_si512(BroadcastFour<__m512i>(x), _mm512_set1_epi16(0xFF));
  }
  static LOWP_INLINE __m512i HighBytes(const uint8_t* x) { return BroadcastHighBytes<__m512i>(x); }
  static LOWP_INLINE __m512i Widen(const uint8_t* bytes) {
    return _mm512_cvtepi8_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(bytes)));
  }
  static LOWP_INLINE __m512i Set16(int16_t value) { return _mm512_set1_epi16(value); }
  static LOWP_INLINE __m512i Order(const uint8_t (&o)[4]) {
    const int dword = o[0] | o[1] << 8 | o[2] << 16 | o[3] << 24;
    const __m128i start = _mm_setr_epi32(0, 0x04040404, 0x08080808, 0x0C0C0C0C);
    return _mm512_add_epi8(_mm512_set1_epi32(dword), _mm512_broadcast_i32x4(start));
  }
};

// Weights packed as kPairs.
struct WideMath : IntegerMath {
  template <int R, int V>
  static LOWP_INLINE void Step(__m512i (&acc)[R][V], const uint8_t* const (&x)[R], size_t k, const uint8_t* weights) {
    AddWideStep<Ops>(acc, x, static_cast<int64_t>(k), weights);
  }
};

}  // namespace

const GemmRow gemm_f32_avx512_6x64 = {"gemm_f32_avx512_6x64", Isa::kAvx512, Packing::kSingles, 16, 4, 8, 6,
                                      RunPanel<FloatMath, 4>};
// 32 channels, because a step is only as safe as its widest pair of weights in all channels of the panel.
const GemmRow gemm_u8s8_avx512_proven_12x32 = {"gemm_u8s8_avx512_proven_12x32", Isa::kAvx512, Packing::kProven, 16, 2,
                                               8, 12, RunPanel<ProvenMath<Ops, IntegerMath>, 2>};
const GemmRow gemm_u8s8_avx512_12x32 = {"gemm_u8s8_avx512_12x32", Isa::kAvx512, Packing::kPairs, 16, 2, 8, 12,
                                        RunPanel<WideMath, 2>};

}  // namespace lowp
#endif
