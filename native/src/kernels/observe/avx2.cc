// `observe` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/observe/generic.h"

namespace lowp {

const ObserveRows observe_f32_avx2_16 = {Lanes, Columns, ClampLanes, ClampColumns};

}  // namespace lowp
#endif
