// `reduce` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/reduce/generic.h"

namespace lowp {

const ReduceRows reduce_f32_avx512_64 = LOWP_REDUCE_ROWS;

}  // namespace lowp
#endif
