// Kernel `detectron_output`: detections of a second stage: every class moves the regions and suppresses its own.
//
// in 0   regions  f32 [regions, 4]: x0, y0, x1, y1
// in 1   deltas   f32 [regions, classes, 4]: dx, dy, and logarithms of the growth of width and height
// in 2   scores   f32 [regions, classes]
// out 0  boxes    f32 [max_detections, 4]; left over are 0, as in the other outputs
// out 1  labels   i32 [max_detections]
// out 2  found    f32 [max_detections]: scores
//
// Corners are pixels that belong to the box. Of every class but 0 the regions of positive sides whose scores are above
// score_threshold are ranked by falling score, equal ones by rising index. They move by deltas / weight_x and weight_y of
// their sides, grow by exponentials of deltas / weight_w and weight_h, which are at most max_delta_log_wh, and are cut at
// 0. A box gives way to a better one of its class when their overlap is above nms_threshold; post_nms_count (-1: all) of a
// class remain. They are listed by class and rank; where they are more than max_detections, the best are listed by score,
// region, class.
//
// Boxes and overlaps are computed in doubles (common/boxes.h) and rounded once. All instruction sets share one row.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_DETECTRON_OUTPUT_PARAMS(F)                                                              \
  F(u32, regions) F(u32, classes) F(u32, max_detections) F(i32, post_nms_count) F(f32, score_threshold)            \
  F(f32, nms_threshold) F(f32, max_delta_log_wh) F(f32, weight_x) F(f32, weight_y) F(f32, weight_w) F(f32, weight_h)
LOWP_PARAMS(DetectronOutputParams, LOWP_DETECTRON_OUTPUT_PARAMS)

extern const KernelDef kernel_detectron_output;

}  // namespace lowp
