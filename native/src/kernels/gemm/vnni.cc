// The integer gemm row for AVX-512 VNNI.
#if defined(__x86_64__)
#include "kernels/gemm/tile_avx512.h"

namespace lowp {
namespace {

struct VnniMath : IntegerMath {
  // gcc 12 copies the accumulators around the intrinsic, and spills them; the instruction itself keeps its tile.
  static LOWP_INLINE __m512i Dot(__m512i acc, __m512i u8, __m512i s8) {
    asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u8), "v"(s8));
    return acc;
  }

  template <int R, int V>
  static LOWP_INLINE void Step(__m512i (&acc)[R][V], const uint8_t* const (&x)[R], size_t k, const uint8_t* weights) {
    __m512i w[V];
    LOWP_UNROLL for (int j = 0; j < V; j++) w[j] = _mm512_load_si512(weights + j * 64);
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      const __m512i value = Broadcast(x[i] + k);
      LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = Dot(acc[i][j], value, w[j]);
    }
  }
};

}  // namespace

const GemmRow gemm_u8s8_vnni_6x64 = {"gemm_u8s8_vnni_6x64", Isa::kVnni, Packing::kQuads, 16, 4, 8, 6,
                                     RunPanel<VnniMath, 4>};

}  // namespace lowp
#endif
