// `layer_norm` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/layer_norm/generic.h"

namespace lowp {

const LayerNormRows layer_norm_f32_avx512_32 = {Run};

}  // namespace lowp
#endif
