// Transformed weights of a Winograd convolution, in the panels of a gemm row: u[panel][product][step][column].
#pragma once
#include <vector>

#include "base/shared_array.h"
#include "kernels/gemm/pack.h"

namespace lowp {

// OIHW weights of 3 x 3 taps, at any alignment.
struct WinogradTaps {
  const void* weights = nullptr;
  size_t in_c = 0, out_c = 0;
};

struct WinogradWeights {
  std::vector<Panel> panels;  // Panel::weights: bytes of the panel's first product
  SharedArray<uint8_t> u;     // null when memory is exhausted
};

// f32, u = G w G' as winograd_convolution.h has it; a step is a channel of x.
WinogradWeights TransformFloatWeights(const WinogradTaps& taps, const GemmRow& row);

// s8 to s16, u = (2 G) w (2 G)', exact, of magnitude 9 * 128 at most; a step is two channels of x, the last one of an
// odd number with a weight of 0.
WinogradWeights TransformIntegerWeights(const WinogradTaps& taps, const GemmRow& row);

}  // namespace lowp
