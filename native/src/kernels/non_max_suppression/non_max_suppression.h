// Kernel `non_max_suppression`: boxes that do not overlap better ones, class by class.
//
// in 0   boxes    f32 [images, boxes, 4]: two corners, near or far axis by axis, or with center = 1 center and size
// in 1   scores   f32 [images, classes, boxes]
// out 0  indices  i32 or i64 [images * classes * most, 3]: image, class, box; -1 in rows that are left over
// out 1  found    optional, f32 [images * classes * most, 3]: image, class, score; 0 in rows that are left over
// out 2  count    optional, of the type of the indices, [1]: rows that are not left over
//
// Boxes with scores above score_threshold are taken by falling score, equal ones by rising index, `most` of a class. A
// box gives way to one that was taken when their overlap (common/boxes.h) is above overlap_threshold, or equal to it
// with at_threshold = 1. With sigma > 0 a box keeps exp(-overlap^2 / (2 sigma)) of its score for each box that was
// taken before, and gives way when its score is not above score_threshold any more, or with soft_drops = 1 when an
// overlap is overlap_threshold or more. sorted = 1 lists all by falling score, then image, class and box; 0 by image
// and class, as they were taken. All instruction sets share one row.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_NON_MAX_SUPPRESSION_PARAMS(F)                                                             \
  F(u32, images) F(u32, classes) F(u32, boxes) F(u32, most) F(u32, center) F(u32, sorted)               \
  F(u32, at_threshold) F(u32, soft_drops) F(f32, overlap_threshold) F(f32, score_threshold) F(f32, sigma)
LOWP_PARAMS(NonMaxSuppressionParams, LOWP_NON_MAX_SUPPRESSION_PARAMS)

extern const KernelDef kernel_non_max_suppression;

}  // namespace lowp
