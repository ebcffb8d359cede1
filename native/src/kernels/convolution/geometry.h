// The taps of a convolution as runs of memory, and the padded copy of x that they may need.
#pragma once
#include "kernels/convolution/convolution.h"
#include "kernels/gemm/problem.h"

namespace lowp {

// Planes, rows and columns of x between the first and the last tap of all outputs.
struct TouchedExtent {
  uint64_t depth = 0, height = 0, width = 0;
};

// False on overflow of 2^31.
bool FindTouchedExtent(const ConvolutionParams& params, TouchedExtent* touched);

// True when some tap lies outside of the input.
bool NeedsPadding(const ConvolutionParams& params, const TouchedExtent& touched);

// Bytes from pixel to pixel of a padded copy.
size_t CopyPixelBytes(const ConvolutionParams& params, bool integer);

// The whole description of a validated convolution, without weights' data.
GemmProblem DescribeConvolution(const ConvolutionParams& params, bool integer);

}  // namespace lowp
