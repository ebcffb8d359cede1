// The integer gemm row for AVX-VNNI without AVX-512.
#if defined(__x86_64__)
#include "kernels/gemm/tile_avx2.h"

namespace lowp {
namespace {

struct DotMath : IntegerMath {
  // As in vnni.cc, gcc 12 spills around the intrinsic. {vex}: the assembler would choose the encoding of AVX-512.
  static LOWP_INLINE __m256i Dot(__m256i acc, __m256i u8, __m256i s8) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(u8), "x"(s8));
    return acc;
  }

  static LOWP_INLINE __m256i Broadcast(const uint8_t* x) {
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    return _mm256_set1_epi32(four);
  }

  template <int R, int V>
  static LOWP_INLINE void Step(__m256i (&acc)[R][V], const uint8_t* const (&x)[R], size_t k, const uint8_t* weights) {
    __m256i w[V];
    LOWP_UNROLL for (int j = 0; j < V; j++) w[j] = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights) + j);
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      const __m256i value = Broadcast(x[i] + k);
      LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = Dot(acc[i][j], value, w[j]);
    }
  }
};

}  // namespace

const GemmRow gemm_u8s8_avxvnni_6x16 = {"gemm_u8s8_avxvnni_6x16", Isa::kAvxVnni, Packing::kQuads, 8, 2, 8, 6,
                                        RunPanel<DotMath>};

}  // namespace lowp
#endif
