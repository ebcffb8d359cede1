// Places blocks of memory with lifetimes into one arena.
#pragma once
#include <cstddef>
#include <vector>

#include "base/status.h"

namespace lowp {

// Memory that is in use from time `first` to time `last`, both included.
struct Block {
  size_t bytes = 0;
  size_t first = 0;
  size_t last = 0;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  // by block, multiples of 64
  size_t arena_bytes = 0;
};

// Greedy by decreasing size, each block into the smallest gap that holds it. Every block gets kReadSlack bytes behind
// it that belong to no other live block. kMemory when the sum of sizes overflows.
Result<MemoryPlan> PlanMemory(const std::vector<Block>& blocks);

}  // namespace lowp
