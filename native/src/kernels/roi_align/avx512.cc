// `roi_align` and `roi_pool` with AVX-512.
#if defined(__x86_64__)
#include "simd/vec_avx512.h"

#include "kernels/roi_align/generic.h"

namespace lowp {

const RoiAlignRows roi_align_f32_avx512_16 = {Sample<false>, Sample<true>, LargestPixel};

}  // namespace lowp
#endif
