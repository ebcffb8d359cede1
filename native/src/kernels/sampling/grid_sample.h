// Kernel `grid_sample`: reads an image, a line or a volume at positions that are computed.
//
//   y[n, p, c] = sum over taps of weight * x[n, tap, c]
//
// in 0  x     f32 [batch, depth, height, width, channels]
// in 1  grid  f32 [batch, places, axes]: coordinates in [-1, 1], that of the width first, then height, then depth
// out 0 y     f32 [batch, places, channels]
//
//   axes     1 width, 2 height too, 3 depth too; the others have one element
//   mode     0 linear, 1 cubic with a = -0.75, 2 nearest, ties to the even position
//   padding  what lies outside: 0 zeros, 1 the border, 2 the reflection
//   align    1: -1 and 1 are the middles of the outer elements, 0: their outer edges
//
// Coordinates and weights are doubles, weights are rounded to f32 in the end; sums as in rows.h, the last axis fastest.
// A coordinate that is not a number gives 0 with zeros outside, else NaN.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_GRID_SAMPLE_PARAMS(F)                                                                       \
  F(u32, batch) F(u32, depth) F(u32, height) F(u32, width) F(u32, channels) F(u32, places) F(u32, axes) \
  F(u32, mode) F(u32, padding) F(u32, align)
LOWP_PARAMS(GridSampleParams, LOWP_GRID_SAMPLE_PARAMS)

extern const KernelDef kernel_grid_sample;

}  // namespace lowp
