// The biases of a convolution whose input has real zero beside a byte.
#pragma once
#include "kernels/convolution/convolution.h"
#include "kernels/gemm/problem.h"

namespace lowp {

// Unsupported when BiasByPlace would take too long. The sizes have been checked.
Status ValidateBorderBias(const ConvolutionParams& params);

// One set for each combination of taps that are inside of the input (convolution.h, in_zero_offset); none when all taps
// of all outputs are. `bias` may be null. The arrays may have any alignment.
PlacedBias BiasByPlace(const ConvolutionParams& params, const int8_t* weights, const float* scale, const float* bias);

}  // namespace lowp
