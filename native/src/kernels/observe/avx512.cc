// `observe` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/observe/generic.h"

namespace lowp {

const ObserveRows observe_f32_avx512_64 = {Lanes, Columns, ClampLanes, ClampColumns};

}  // namespace lowp
#endif
