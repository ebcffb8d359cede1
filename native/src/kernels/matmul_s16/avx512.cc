// `matmul_s16` with AVX-512.
#if defined(__x86_64__)
#include "kernels/matmul_s16/math_avx512.h"

namespace lowp {
namespace {

struct Avx512Math : Math512 {
  static LOWP_INLINE __m512i Dot(__m512i acc, __m512i x, __m512i w) {
    return _mm512_add_epi32(acc, _mm512_madd_epi16(x, w));
  }
};

}  // namespace

const MatmulS16Rows matmul_s16_avx512_4x32 = {16, 2, RunPanel<Avx512Math, 4>};

}  // namespace lowp
#endif
