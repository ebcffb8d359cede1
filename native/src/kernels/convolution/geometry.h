// The taps of a convolution as runs of memory, and the padded copy of x that they may need.
#pragma once
#include "kernels/convolution/convolution.h"
#include "kernels/gemm/problem.h"

namespace lowp {

// Rows and columns of x between the first and the last tap of all outputs; false on overflow of 2^31.
bool TouchedExtent(const ConvolutionParams& params, uint64_t* height, uint64_t* width);

// True when some tap lies outside of the input.
bool NeedsPadding(const ConvolutionParams& params, uint64_t height, uint64_t width);

// Bytes from pixel to pixel of a padded copy.
size_t CopyPixelBytes(const ConvolutionParams& params, bool integer);

// The whole description of a validated convolution, without weights' data.
GemmProblem DescribeConvolution(const ConvolutionParams& params, bool integer);

}  // namespace lowp
