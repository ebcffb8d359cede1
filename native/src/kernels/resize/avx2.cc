// `resize` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/resize/generic.h"

namespace lowp {

const ResizeRows resize_f32_avx2_8 = {Blend};

}  // namespace lowp
#endif
