// Constants of a depthwise call in the order that its row wants.
#pragma once
#include "base/aligned.h"
#include "base/shared_array.h"
#include "kernels/depthwise/row.h"

namespace lowp {

struct DepthwiseConstants {
  SharedArray<uint8_t> weights;
  AlignedPtr<uint8_t> channels;  // the rest is for integer rows
  AlignedPtr<uint8_t> zero_points;
  size_t channel_bytes = 0;  // of weights per channel
  size_t bytes = 0;
  bool complete = false;  // false when memory is exhausted
};

// `weights` is [channels][taps] of f32 or s8 at any alignment; `zero_points` has one entry per channel, null for f32.
DepthwiseConstants PackDepthwise(const DepthwiseRow& row, const DepthwiseGeometry& geometry, const Epilogue& epilogue,
                                 const void* weights, const uint8_t* zero_points);

}  // namespace lowp
