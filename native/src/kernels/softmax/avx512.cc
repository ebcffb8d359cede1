// `softmax` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/softmax/generic.h"

namespace lowp {

const SoftmaxRows softmax_f32_avx512_16 = {Contiguous, Quantized, Strided};

}  // namespace lowp
#endif
