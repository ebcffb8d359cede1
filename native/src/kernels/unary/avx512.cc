// `unary` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/unary/generic.h"

namespace lowp {

const UnaryRows unary_f32_avx512_16 = LOWP_UNARY_ROWS;

}  // namespace lowp
#endif
