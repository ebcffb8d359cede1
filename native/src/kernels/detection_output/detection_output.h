// Kernel `detection_output`: decoding, ranking and suppression of the boxes of an SSD.
//
// in 0   locations    f32 [images, priors, locations, 4], locations = 1 or classes
// in 1   confidences  f32 [images, priors, classes]
// in 2   defaults     f32; those of image n begin at n * default_stride: `priors` default boxes of 4 numbers
//                     (normalized = 1), or of 5, of which the first is skipped and the others are in pixels of an image
//                     of width times height; behind them 4 variances of each, unless variance_encoded = 1
// in 3   objects      optional, f32 [images, priors, 2]: where the second is below objectness_score, confidences count
//                     as 1 for the background and 0 for all others
// in 4   moved        optional, as the locations: they move the default boxes first
// out 0  detections   f32 [rows, 7]: image, label, score, and corners x0, y0, x1, y1; the row behind the last one
//                     begins with -1, all other numbers are 0
//
// by_box = 0: of every class but `background` the boxes with scores above confidence_threshold are ranked by falling
// score, equal ones by rising prior, and cut to the first top_k (-1: all). by_box = 1: every box is of its best class,
// of classes from 1 on, if that has a score of confidence_threshold or more; all are ranked and cut together, and
// labels are written one lower. A box gives way to a better one of its class when their overlap is above
// nms_threshold. Of the boxes of an image the keep_top_k (-1: all) with the highest scores remain, equal ones by prior
// and by label; they are listed by label, by score, and by prior.
//
// Boxes and overlaps are computed in doubles (common/boxes.h), overlaps and corners rounded once. With center_size = 1
// the center is location * variance * size + center of the default box, half of the size exp(location * variance) *
// size / 2; else corners are default corners + locations * variances. clip_before puts decoded corners into [0, 1],
// clip_after those that are written. All instruction sets share one row.
#pragma once
#include "kernels/kernel.h"

namespace lowp {

#define LOWP_DETECTION_OUTPUT_PARAMS(F)                                                                          \
  F(u32, images) F(u32, priors) F(u32, classes) F(u32, locations) F(u32, default_stride) F(u32, normalized)      \
  F(i32, width) F(i32, height) F(u32, center_size) F(u32, variance_encoded) F(u32, clip_before) F(u32, clip_after) \
  F(u32, by_box) F(i32, background) F(i32, top_k) F(i32, keep_top_k) F(f32, nms_threshold)                       \
  F(f32, confidence_threshold) F(f32, objectness_score)
LOWP_PARAMS(DetectionOutputParams, LOWP_DETECTION_OUTPUT_PARAMS)

extern const KernelDef kernel_detection_output;

}  // namespace lowp
