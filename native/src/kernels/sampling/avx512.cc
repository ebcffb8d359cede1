// The weighted sum of pixels with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/sampling/generic.h"

namespace lowp {

const MixRows mix_f32_avx512_16 = {Mix};

}  // namespace lowp
#endif
