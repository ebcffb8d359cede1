// `eltwise` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/eltwise/generic.h"

namespace lowp {

const EltwiseRows eltwise_f32_avx512_16 = LOWP_ELTWISE_ROWS;

}  // namespace lowp
#endif
