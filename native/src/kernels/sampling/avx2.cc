// The weighted sum of pixels with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/sampling/generic.h"

namespace lowp {

const MixRows mix_f32_avx2_8 = {Mix};

}  // namespace lowp
#endif
