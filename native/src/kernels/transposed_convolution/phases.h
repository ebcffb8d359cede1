// The output phases of a transposed convolution, and the reads of each as a matrix product with indirect rows.
#pragma once
#include <vector>

#include "kernels/gemm/problem.h"
#include "kernels/transposed_convolution/transposed_convolution.h"

namespace lowp {

// Outputs first, first + stride, ... along one axis, `count` of them; the t-th reads x at t + offset of each tap.
struct AxisPhase {
  struct Tap {
    size_t kernel = 0;   // index of the tap in the kernel
    int64_t offset = 0;  // ascending
  };
  size_t first = 0;
  size_t count = 0;
  std::vector<Tap> taps;  // may be empty
};

// One axis of a transposed convolution.
struct AxisPhases {
  std::vector<AxisPhase> phases;  // none of them without outputs
  int64_t low = 0, high = 0;      // positions of x that taps read, both included; outside of x at will
};

AxisPhases FindPhases(uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t pad);

// Phases of the three axes, and the positions of x between the first and the last tap.
struct TransposedGeometry {
  AxisPhases depth, height, width;

  static TransposedGeometry Of(const TransposedConvolutionParams& params);
  uint64_t TouchedDepth() const { return static_cast<uint64_t>(depth.high - depth.low + 1); }
  uint64_t TouchedHeight() const { return static_cast<uint64_t>(height.high - height.low + 1); }
  uint64_t TouchedWidth() const { return static_cast<uint64_t>(width.high - width.low + 1); }
  // True when some tap lies outside of the input.
  bool NeedsPadding(const TransposedConvolutionParams& params) const;
};

// One problem for each combination of phases, without weights' data. Their weights are [out_c, in_c / groups, taps],
// all taps of the kernel in its order; their padded copies are equal.
std::vector<GemmProblem> DescribePhases(const TransposedConvolutionParams& params, bool integer);

}  // namespace lowp
