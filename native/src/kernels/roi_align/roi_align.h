// Kernel `roi_align`: bilinear samples of regions of feature maps, averaged or the largest taken, bin by bin.
//
// in 0   regions  f32 [regions, 4]: x0, y0, x1, y1
// in 1   images   i32 or i64 [regions], absent where all regions are in image 0
// in 2   scales   f32 [levels], constant
// in 3   sizes    i32 [levels, 2], constant: height and width of the map of each level
// in 4…  maps     f32 [images, height, width, channels], one for each level
// out 0  y        f32 [regions, pooled_h, pooled_w, channels]
//
// by_area = 0: there is one level. by_area = 1: a region of positive area is on level 2 + floor(log2(sqrt(area) / 224 +
// 1e-6)), at least 0 and at most levels - 1; y of other regions is 0.
//
// A corner lies at (v + before) * scale - behind, or with divides = 1 at (v + before) / scale - behind. Width and height
// are at least `least`; a bin is a share of them, and is sampled at the centers of sampling_ratio times sampling_ratio
// equal parts, with sampling_ratio = 0 of as many along an axis as it has pixels, rounded up; it is at most 1024. A sample
// up to one pixel outside of the map counts as on its edge; one beyond that is 0. A bin that would have more than 2^30
// samples along an axis has none. Positions and weights are computed in doubles.
//
//   largest = 0   y = sum of w * x, one fma for each in the order of samples (row by row) and of their pixels (top left,
//                 top right, bottom left, bottom right), w = weight / samples rounded once; 0 without samples
//   largest = 1   y = max(s, y) for each sample in order, from 0; s = w0 * x0, then fma(w, x, s); NaN is passed over
//
// An image that there is not is reported (Fault), and y of its region is 0. All rows are bit-equal but for the payload of
// NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_ROI_ALIGN_PARAMS(F)                                                                            \
  F(u32, regions) F(u32, images) F(u32, channels) F(u32, pooled_h) F(u32, pooled_w) F(u32, sampling_ratio)            \
  F(u32, largest) F(u32, by_area) F(u32, divides) F(f32, before) F(f32, behind) F(f32, least)
LOWP_PARAMS(RoiAlignParams, LOWP_ROI_ALIGN_PARAMS)

// Largest sampling_ratio.
constexpr uint32_t kRoiAlignMostSamples = 1024;

extern const KernelDef kernel_roi_align;

}  // namespace lowp
