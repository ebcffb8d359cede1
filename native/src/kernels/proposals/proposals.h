// Kernel `proposals`: regions that a region proposal network finds: anchors are moved, ranked, and suppressed.
//
// in 0   scores   f32 [images, score_planes, rows, columns]; plane first_score + k has the scores of anchor k
// in 1   deltas   f32 [images, 4 * anchors, rows, columns]: dx, dy, and logarithms of the growth of width and height
// in 2   sizes    f32; those of image n begin at n * size_stride: height, width, and, with scaled = 1, a scale of the least
//                 height and, where there are size_count = 4, one of the least width
// in 3   boxes    f32 [anchors, 4], to be shifted by `step` for each cell, with turned = 1 by the row along x and by the
//                 column along y; with step = 0 [rows * columns * anchors, 4], cells row by row, anchors fastest
// out 0  regions  f32 [images * post_nms_top_k, 4], corners x0, y0, x1, y1; with_image = 1: [.., 5], the image in front
// out 1  found    optional, f32 [images * post_nms_top_k]: scores
// out 2  counts   optional, i32 or i64 [images]: regions of each image
// out 3  total    optional, i32 or i64 [1]: regions of all images
//
// Sides of a box are far - near + extent. A box moves by deltas / coordinate_scale of its sides and grows by the
// exponentials of deltas / size_scale, which are at most max_delta_log_wh; `back` is taken off its far corner. Corners are
// clipped into the image where the flags say so: anchors (clip_anchors), moved boxes (clip_before) to width - extent and
// height - extent, written ones (clip_after). Of a box smaller than least_size times the scale the score counts as 0, or
// with drops_small = 1 it is left out when it has been ranked.
//
// Of an image the pre_nms_top_k best (equal scores: the lower cell, then the lower anchor) are taken unless they overlap
// one that was taken by more than nms_threshold, post_nms_top_k of them; overlaps count sides with nms_extent. normalized
// = 1 writes shares of the image. Packed = 1 puts the regions of all images behind each other, 0 those of image n from row
// n * post_nms_top_k on. Rows that are left over are 0; with_image = 1 has the image -1 in the first of them.
//
// Boxes and overlaps are computed in doubles (common/boxes.h), overlaps and corners rounded once. All instruction sets
// share one row.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_PROPOSALS_PARAMS(F)                                                                               \
  F(u32, images) F(u32, anchors) F(u32, rows) F(u32, columns) F(u32, score_planes) F(u32, first_score)          \
  F(u32, size_count) F(u32, size_stride) F(u32, scaled) F(f32, step) F(u32, turned) F(f32, coordinate_scale)    \
  F(f32, size_scale) F(f32, max_delta_log_wh) F(f32, extent) F(f32, back) F(f32, nms_extent)            \
  F(u32, clip_anchors) F(u32, clip_before) F(u32, clip_after) F(u32, normalized) F(u32, with_image) F(u32, packed)                   \
  F(u32, drops_small) F(f32, least_size) F(u32, pre_nms_top_k) F(u32, post_nms_top_k) F(f32, nms_threshold)
LOWP_PARAMS(ProposalsParams, LOWP_PROPOSALS_PARAMS)

extern const KernelDef kernel_proposals;

}  // namespace lowp
