// Canonical form of a copy's loops.
#include "kernels/copy/plan.h"

#include <algorithm>

namespace lowp {
namespace {

// Bytes of y that one tile writes, where the loops allow: large enough to hide a tile's cost, small beside an L2 cache.
constexpr uint64_t kTileBytes = 64 << 10;
constexpr uint64_t kTransposeRows = 64;

struct Loops {
  CopyLoop loop[kCopyMaxRank];
  size_t rank = 0;
};

// Loops of more than one step, in elements, output strides positive and falling.
Loops SortedLoops(const CopyGeometry& g, int64_t* in_offset, int64_t* out_offset) {
  Loops loops;
  for (size_t j = 0; j < g.rank; j++) {
    CopyLoop loop{g.counts[j], g.in_strides[j], g.out_strides[j]};
    if (loop.count == 1) continue;
    if (loop.out_stride < 0) {
      *in_offset += static_cast<int64_t>(loop.count - 1) * loop.in_stride;
      *out_offset += static_cast<int64_t>(loop.count - 1) * loop.out_stride;
      loop.in_stride = -loop.in_stride;
      loop.out_stride = -loop.out_stride;
    }
    size_t at = loops.rank++;
    for (; at > 0 && loops.loop[at - 1].out_stride < loop.out_stride; at--) loops.loop[at] = loops.loop[at - 1];
    loops.loop[at] = loop;
  }
  return loops;
}

// Joins a loop with the next inner one where both sides continue without a gap.
void MergeLoops(Loops* loops) {
  size_t kept = 0;
  for (size_t j = 0; j < loops->rank; j++) {
    const CopyLoop& inner = loops->loop[j];
    const int64_t count = static_cast<int64_t>(inner.count);
    CopyLoop* outer = kept > 0 ? &loops->loop[kept - 1] : nullptr;
    if (outer && outer->in_stride == inner.in_stride * count && outer->out_stride == inner.out_stride * count) {
      *outer = {outer->count * inner.count, inner.in_stride, inner.out_stride};
    } else {
      loops->loop[kept++] = inner;
    }
  }
  loops->rank = kept;
}

// Treats pairs of adjacent elements as one element of twice the size, as often as everything is a multiple of 2.
size_t WidenElements(Loops* loops, int64_t* in_offset, int64_t* out_offset, size_t size) {
  while (size < 8 && loops->rank > 0) {
    CopyLoop& inner = loops->loop[loops->rank - 1];
    if (inner.in_stride != 1 || inner.out_stride != 1 || inner.count % 2 || *in_offset % 2 || *out_offset % 2) break;
    bool even = true;
    for (size_t j = 0; j + 1 < loops->rank; j++)
      even = even && loops->loop[j].in_stride % 2 == 0 && loops->loop[j].out_stride % 2 == 0;
    if (!even) break;
    for (size_t j = 0; j + 1 < loops->rank; j++) {
      loops->loop[j].in_stride /= 2;
      loops->loop[j].out_stride /= 2;
    }
    inner.count /= 2;
    if (inner.count == 1) loops->rank--;
    *in_offset /= 2;
    *out_offset /= 2;
    size *= 2;
  }
  return size;
}

CopyLoop InBytes(const CopyLoop& loop, int64_t size) {
  return {loop.count, loop.in_stride * size, loop.out_stride * size};
}

// Takes the innermost loop as b and the best partner as a; the rest stays outside.
void ChooseBlock(const Loops& loops, CopyPlan* plan) {
  const int64_t size = static_cast<int64_t>(plan->size);
  plan->a = {1, size, size};
  plan->b = {1, size, size};
  if (loops.rank == 0) {
    plan->shape = CopyShape::kRuns;
    return;
  }
  const size_t inner = loops.rank - 1;
  plan->b = InBytes(loops.loop[inner], size);
  size_t partner = inner;  // none
  if (inner > 0) partner = inner - 1;
  const bool dense = plan->b.out_stride == size;
  plan->shape = dense && plan->b.in_stride == size ? CopyShape::kRuns
                : dense && plan->b.in_stride == 0  ? CopyShape::kFill
                                                   : CopyShape::kStrided;
  if (dense && plan->shape == CopyShape::kStrided) {
    for (size_t j = 0; j < inner; j++) {
      if (loops.loop[j].in_stride != 1) continue;
      partner = j;
      plan->shape = CopyShape::kTranspose;
    }
  }
  for (size_t j = 0; j < inner; j++) {
    const CopyLoop loop = InBytes(loops.loop[j], size);
    if (j == partner) {
      plan->a = loop;
    } else {
      plan->outer[plan->outer_rank++] = loop;
    }
  }
}

void ChooseTiles(CopyPlan* plan) {
  const uint64_t target = kTileBytes / plan->size;
  const uint64_t rows = plan->shape == CopyShape::kTranspose ? std::min(plan->a.count, kTransposeRows) : 1;
  plan->block_b = std::min(plan->b.count, std::max<uint64_t>(64, target / rows & ~uint64_t{63}));
  plan->block_a = std::min(plan->a.count, std::max(rows, target / plan->block_b));
}

}  // namespace

uint64_t CopyPlan::tiles() const {
  if (elements == 0) return 0;
  uint64_t count = blocks_a() * blocks_b();
  for (size_t j = 0; j < outer_rank; j++) count *= outer[j].count;
  return count;
}

CopyPlan MakeCopyPlan(const CopyGeometry& geometry, size_t size) {
  CopyPlan plan;
  plan.elements = 1;
  for (size_t j = 0; j < geometry.rank; j++) plan.elements *= geometry.counts[j];
  if (plan.elements == 0) return plan;
  int64_t in_offset = geometry.in_offset, out_offset = geometry.out_offset;
  Loops loops = SortedLoops(geometry, &in_offset, &out_offset);
  MergeLoops(&loops);
  plan.size = WidenElements(&loops, &in_offset, &out_offset, size);
  plan.in_offset = in_offset * static_cast<int64_t>(plan.size);
  plan.out_offset = out_offset * static_cast<int64_t>(plan.size);
  ChooseBlock(loops, &plan);
  ChooseTiles(&plan);
  return plan;
}

}  // namespace lowp
