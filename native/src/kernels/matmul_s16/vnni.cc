// `matmul_s16` with AVX-512 VNNI.
#if defined(__x86_64__)
#include "kernels/matmul_s16/math_avx512.h"

namespace lowp {
namespace {

struct VnniMath : Math512 {
  // gcc 12 copies the accumulators around the intrinsic; the instruction itself keeps its tile.
  static LOWP_INLINE __m512i Dot(__m512i acc, __m512i x, __m512i w) {
    asm("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
    return acc;
  }
};

}  // namespace

const MatmulS16Rows matmul_s16_vnni_4x32 = {16, 2, RunPanel<VnniMath, 4>};

}  // namespace lowp
#endif
