// `reduce` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/reduce/generic.h"

namespace lowp {

const ReduceRows reduce_f32_avx2_64 = LOWP_REDUCE_ROWS;

}  // namespace lowp
#endif
