// `layer_norm` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/layer_norm/generic.h"

namespace lowp {

const LayerNormRows layer_norm_f32_avx2_32 = {Run};

}  // namespace lowp
#endif
