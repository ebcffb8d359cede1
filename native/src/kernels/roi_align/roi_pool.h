// Kernel `roi_pool`: the largest element of each bin of a region, or one bilinear sample.
//
// in 0   x        f32 [images, height, width, channels]
// in 1   regions  f32 [regions, 5]: image, x0, y0, x1, y1; image -1 (fractions are cut off) ends the list
// out 0  y        f32 [regions, pooled_h, pooled_w, channels]; 0 behind the end of the list
//
// bilinear = 0: corners times scale are rounded to pixels (ties away from 0), and both belong to the region, which is at
// least one pixel wide and high; a bin reaches from the pixel where its share begins to that where it ends, as far as
// they are on the map. y is their largest element, m = v > m ? v : m from -Inf, so that NaN is passed over; 0 of none.
// bilinear = 1: corners are shares of the map. Bins sample it on a grid from corner to corner, one bin in the middle; y
// is w * x in one fma for each of the four pixels (top left, top right, bottom left, bottom right), 0 outside of the map.
//
// Positions are computed in doubles. An image that there is not is reported (Fault), and y is 0 from its region on. All
// rows are bit-equal but for the payload of NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_ROI_POOL_PARAMS(F)                                                                      \
  F(u32, images) F(u32, height) F(u32, width) F(u32, channels) F(u32, regions) F(u32, pooled_h)      \
  F(u32, pooled_w) F(u32, bilinear) F(f32, scale)
LOWP_PARAMS(RoiPoolParams, LOWP_ROI_POOL_PARAMS)

extern const KernelDef kernel_roi_pool;

}  // namespace lowp
