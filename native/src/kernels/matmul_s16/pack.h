// Packs 16-bit weights into panels, in blocks of steps whose sums are proven to be s32 for any x.
//
// |x| is at most 2^15, so the sum of a block is below 2^31 while the magnitudes of its weights add up to at most 65535
// in every channel of the panel. A single step breaks that only where both weights are -32768: such a step becomes two
// blocks, its first elements against zeros and then its second ones.
#pragma once
#include <vector>

#include "base/shared_array.h"
#include "base/status.h"
#include "kernels/matmul_s16/rows.h"

namespace lowp {

// Largest sum of magnitudes of a channel's weights within a block.
constexpr uint32_t kMostBlockMagnitude = 65535;

// Weight (n, j) is element n * stride_n + j * stride_k.
struct S16Weights {
  const void* data = nullptr;  // any alignment
  size_t k = 0, n = 0;
  size_t stride_k = 1, stride_n = 1;
};

struct S16Panel {
  size_t n = 0;
  size_t columns = 0;
  uint32_t vectors = 0;
  size_t first_block = 0, blocks = 0;
  size_t weights = 0;  // elements into the packed weights
};

struct PackedS16 {
  std::vector<S16Panel> panels;
  std::vector<S16Block> blocks;
  SharedArray<int16_t> weights;
  size_t bytes = 0;
};

// kMemory when memory is exhausted.
Result<PackedS16> PackS16(const S16Weights& weights, uint32_t lanes, uint32_t most_vectors);

}  // namespace lowp
