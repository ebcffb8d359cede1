// The rows of `roi_align` and `roi_pool`, best first.
#pragma once
#include "kernels/roi_align/rows.h"
#include "kernels/row.h"

namespace lowp {

constexpr Row<RoiAlignRows> kRoiAlignRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(roi_align_f32_avx512_16, kAvx512),
    LOWP_ROW(roi_align_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(roi_align_f32_scalar, kScalar),
};

}  // namespace lowp
