// The gemm rows for AVX2: f32, integers of any weights, and integers of weights that are not sorted by proof.
#if defined(__x86_64__)
#include "kernels/gemm/proven_math.h"
#include "kernels/gemm/tile_avx2.h"

namespace lowp {
namespace {

struct Ops {
  using Int = __m256i;
  // The mask is a memory operand: the tile leaves no register for it.
  static LOWP_INLINE __m256i LowBytes(const uint8_t* x) {
    alignas(32) static constexpr uint16_t kMask[16] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                       0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    __m256i words;
    asm("vpbroadcastd %1, %0\n\tvpand %2, %0, %0" : "=&v"(words) : "m"(*AsFour(x)), "m"(kMask));
    return words;
  }
  static LOWP_INLINE __m256i HighBytes(const uint8_t* x) { return BroadcastHighBytes<__m256i>(x); }
  static LOWP_INLINE __m256i Widen(const uint8_t* bytes) {
    return _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(bytes)));
  }
  static LOWP_INLINE __m256i Set16(int16_t value) { return _mm256_set1_epi16(value); }
  static LOWP_INLINE __m256i Order(const uint8_t (&o)[4]) {
    const int dword = o[0] | o[1] << 8 | o[2] << 16 | o[3] << 24;
    const __m256i start = _mm256_setr_epi32(0, 0x04040404, 0x08080808, 0x0C0C0C0C, 0, 0x04040404, 0x08080808, 0x0C0C0C0C);
    return _mm256_add_epi8(_mm256_set1_epi32(dword), start);
  }
};

// Weights packed as kPairs.
struct WideMath : IntegerMath {
  template <int R, int V>
  static LOWP_INLINE void Step(__m256i (&acc)[R][V], const uint8_t* const (&x)[R], size_t k, const uint8_t* weights) {
    AddWideStep<Ops>(acc, x, static_cast<int64_t>(k), weights);
  }
};

}  // namespace

const GemmRow gemm_f32_avx2_6x16 = {"gemm_f32_avx2_6x16", Isa::kAvx2, Packing::kSingles, 8, 2, 8, 6,
                                    RunPanel<FloatMath, true>, 4};
const GemmRow gemm_u8s8_avx2_proven_6x16 = {
    "gemm_u8s8_avx2_proven_6x16", Isa::kAvx2, Packing::kProven, 8, 2, 8, 6, RunPanel<ProvenMath<Ops, IntegerMath>>};
const GemmRow gemm_u8s8_avx2_6x16 = {"gemm_u8s8_avx2_6x16", Isa::kAvx2, Packing::kPairs, 8, 2, 8, 6,
                                     RunPanel<WideMath>};

}  // namespace lowp
#endif
