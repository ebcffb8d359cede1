// Kernel `psroi_pool`: bins of regions, each from channels of its own.
//
// in 0   x        f32 [images, channels, height, width]
// in 1   regions  f32 [regions, 5]: image, x0, y0, x1, y1; image -1 (fractions are cut off) ends the list
// in 2   offsets  mode 2 only, and optional: f32 [regions, 2 * classes, part, part], x then y, shares of the region
// out 0  y        f32 [regions, outputs, group, group]; 0 behind the end of the list
//
// mode 0  y(c, h, w) is the mean of channel (c * group + h) * group + w over a bin; corners are rounded to pixels (ties
//         away from 0), the far ones belong to the region, and both are scaled; 0 of a bin without elements
// mode 1  corners times scale are shares of the map, cut into bins_y times bins_x parts. Part b is sampled on a grid of
//         group times group points in channel b * outputs + c; y is the mean of the samples (h, w) of all parts
// mode 2  channels as in mode 0. A region begins half a pixel before its scaled corner and is at least a tenth of a pixel
//         large; a bin is moved by trans_scale times its offset, and sampled at bins_y times bins_x points from its near
//         corner on, at most 2^20. y is the mean of the samples that are at most half a pixel outside; 0 without one
//
// Positions, samples and sums are doubles, rounded once at the end; samples are added part by part, or row by row. A
// bilinear sample is a + (b - a) * share along x, then along y; outside of the map it is 0. An image that there is not is
// reported (Fault), and y is 0 from its region on. All instruction sets share one row.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_PSROI_POOL_PARAMS(F)                                                                     \
  F(u32, images) F(u32, channels) F(u32, height) F(u32, width) F(u32, regions) F(u32, outputs)        \
  F(u32, group) F(u32, mode) F(u32, bins_x) F(u32, bins_y) F(u32, classes) F(u32, part) F(f32, scale) \
  F(f32, trans_scale)
LOWP_PARAMS(PsroiPoolParams, LOWP_PSROI_POOL_PARAMS)

// Largest bins_x * bins_y of mode 2.
constexpr uint64_t kPsroiMostSamples = 1u << 20;

extern const KernelDef kernel_psroi_pool;

}  // namespace lowp
