// `softmax` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/softmax/generic.h"

namespace lowp {

const SoftmaxRows softmax_f32_avx2_16 = {Contiguous, Quantized, Strided};

}  // namespace lowp
#endif
