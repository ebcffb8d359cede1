// `resize` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/resize/generic.h"

namespace lowp {

const ResizeRows resize_f32_avx512_16 = {Blend};

}  // namespace lowp
#endif
