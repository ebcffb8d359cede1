// The loops of a copy in canonical form: fewest dimensions, widest elements, the innermost two as blocks.
#pragma once
#include "kernels/copy/block.h"
#include "kernels/copy/copy.h"

namespace lowp {

// One loop; strides in bytes.
struct CopyLoop {
  uint64_t count = 1;
  int64_t in_stride = 0;
  int64_t out_stride = 0;
};

struct CopyPlan {
  size_t size = 1;  // bytes of an element
  CopyShape shape = CopyShape::kStrided;
  int64_t in_offset = 0;  // bytes
  int64_t out_offset = 0;
  CopyLoop outer[kCopyMaxRank];
  size_t outer_rank = 0;
  CopyLoop a, b;         // the block's loops
  uint64_t block_a = 1;  // a block is at most block_a x block_b; these divide the tiles
  uint64_t block_b = 1;
  uint64_t elements = 0;

  uint64_t blocks_a() const { return (a.count + block_a - 1) / block_a; }
  uint64_t blocks_b() const { return (b.count + block_b - 1) / block_b; }
  uint64_t tiles() const;
};

// Of a validated geometry, `size` being the bytes of an element.
CopyPlan MakeCopyPlan(const CopyGeometry& geometry, size_t size);

}  // namespace lowp
