// `roi_align` and `roi_pool` with AVX2.
#if defined(__x86_64__)
#include "simd/vec_avx2.h"

#include "kernels/roi_align/generic.h"

namespace lowp {

const RoiAlignRows roi_align_f32_avx2_8 = {Sample<false>, Sample<true>, LargestPixel};

}  // namespace lowp
#endif
