// `unary` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/unary/generic.h"

namespace lowp {

const UnaryRows unary_f32_avx2_8 = LOWP_UNARY_ROWS;

}  // namespace lowp
#endif
