// `eltwise` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/eltwise/generic.h"

namespace lowp {

const EltwiseRows eltwise_f32_avx2_8 = LOWP_ELTWISE_ROWS;

}  // namespace lowp
#endif
