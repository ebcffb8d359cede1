// Offline placement of blocks with known lifetimes: a form of strip packing, solved greedily.
#include "program/plan_memory.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "base/aligned.h"

namespace lowp {
namespace {

constexpr size_t kAlignment = 64;

struct Placed {
  size_t begin = 0;
  size_t end = 0;
  size_t first = 0;
  size_t last = 0;
};

bool PaddedSize(size_t bytes, size_t* padded) {
  if (bytes > SIZE_MAX / 4) return false;
  *padded = (bytes + kReadSlack + kAlignment - 1) & ~(kAlignment - 1);
  return true;
}

// The start of the smallest gap of at least `size` bytes between the placed blocks that live at the same time.
size_t BestFit(const std::vector<Placed>& by_offset, const Block& block, size_t size) {
  size_t best = SIZE_MAX, best_gap = SIZE_MAX, free_from = 0;
  for (const Placed& other : by_offset) {
    if (other.last < block.first || other.first > block.last) continue;
    if (other.begin >= free_from + size && other.begin - free_from < best_gap) {
      best = free_from;
      best_gap = other.begin - free_from;
    }
    free_from = std::max(free_from, other.end);
  }
  return best == SIZE_MAX ? free_from : best;
}

}  // namespace

Result<MemoryPlan> PlanMemory(const std::vector<Block>& blocks) {
  MemoryPlan plan;
  plan.offsets.resize(blocks.size());
  std::vector<size_t> sizes(blocks.size());
  size_t total = 0;
  for (size_t i = 0; i < blocks.size(); i++) {
    if (!PaddedSize(blocks[i].bytes, &sizes[i]) || __builtin_add_overflow(total, sizes[i], &total) ||
        total > SIZE_MAX / 4)
      return Status(Code::kMemory, "the program needs more memory than can be addressed");
  }
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::vector<Placed> by_offset;
  by_offset.reserve(blocks.size());
  for (const size_t i : order) {
    const size_t begin = BestFit(by_offset, blocks[i], sizes[i]);
    const Placed placed{begin, begin + sizes[i], blocks[i].first, blocks[i].last};
    const auto after = std::upper_bound(by_offset.begin(), by_offset.end(), begin,
                                        [](size_t offset, const Placed& p) { return offset < p.begin; });
    by_offset.insert(after, placed);
    plan.offsets[i] = begin;
    plan.arena_bytes = std::max(plan.arena_bytes, placed.end);
  }
  return plan;
}

}  // namespace lowp
