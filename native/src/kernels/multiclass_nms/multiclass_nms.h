// Kernel `multiclass_nms`: the best boxes of images, chosen class by class, by greedy suppression or by lowered scores.
//
// in 0   boxes    f32 [images, boxes, 4]: near corner, far corner
// in 1   scores   f32 [images, classes, boxes]
// out 0  rows     f32 [rows, 6]: class, score, corners; left over are 0
// out 1  indices  i32 or i64 [rows]: the box in the boxes of all images; left over are 0
// out 2  counts   of the type of the indices, [images]: rows of each image
// out 3  total    of the type of the indices, [1]
//
// Of every class but `background` the boxes with scores above score_threshold (decay = 0: or equal to it) are ranked by
// falling score, equal ones by rising index, and cut to the first top_k (-1: all). `extent` is added to the sides.
//
//   decay 0  a box gives way to one that was taken when their overlap is `threshold` or more; with eta < 1 the threshold
//            shrinks by eta with each box that is taken while it is above a half
//   decay 1  score * min over better boxes j of (1 - overlap) / (1 - m(j) + 1e-10), at most 1, m(j) being the largest
//            overlap of j with better ones; boxes remain whose lowered score is above `threshold`
//   decay 2  likewise with exp((m(j)^2 - overlap^2) * sigma)
//
// Of an image the keep_top_k (-1: all) best remain: by score, class and box. order 0 lists them so, image by image, 1 by
// class, score and box; 2 lists the boxes of all images by score, image, class and box, 3 by class, image, score and box.
//
// Overlaps (common/boxes.h) and factors are doubles; overlaps that are compared with a threshold, and lowered scores, are
// rounded once. All instruction sets share one row.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_MULTICLASS_NMS_PARAMS(F)                                                                      \
  F(u32, images) F(u32, classes) F(u32, boxes) F(i32, background) F(i32, top_k) F(i32, keep_top_k)          \
  F(u32, decay) F(u32, order) F(f32, extent) F(f32, score_threshold) F(f32, threshold) F(f32, eta) F(f32, sigma)
LOWP_PARAMS(MulticlassNmsParams, LOWP_MULTICLASS_NMS_PARAMS)

extern const KernelDef kernel_multiclass_nms;

}  // namespace lowp
