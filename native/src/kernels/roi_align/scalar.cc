// `roi_align` and `roi_pool` without vector instructions.
#include "simd/vec_scalar.h"

#include "kernels/roi_align/generic.h"

namespace lowp {

const RoiAlignRows roi_align_f32_scalar = {Sample<false>, Sample<true>, LargestPixel};

}  // namespace lowp
