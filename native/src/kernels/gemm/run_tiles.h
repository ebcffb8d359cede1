// Cuts the rows of a task into register tiles. For ISA files only.
#pragma once
#include "kernels/gemm/row.h"
#include "simd/inline.h"

namespace lowp {
namespace {

// The part of what the next task reads that a tile asks for, so that it need not wait for memory.
struct FetchShare {
  const uint8_t* from = nullptr;
  size_t bytes = 0;
};

// Rows of the task from `row` on, as many as the tile has.
using TileFunction = void (*)(const PanelTask& task, size_t row, FetchShare fetch);

// All of a share at once.
LOWP_INLINE void Fetch(FetchShare share) {
  for (size_t i = 0; i < share.bytes; i += 64) __builtin_prefetch(share.from + i, 0, 2);
}

LOWP_INLINE size_t StepsOf(const PanelTask& t) {
  size_t steps = 0;
  for (const Segment *s = t.segments, *end = s + t.segment_count; s != end; s++) steps += s->steps;
  return steps;
}

// Asks for a share evenly along the steps of a tile. All at once would fill the queue of cache misses and hold up the
// tile's own loads. At most a line a step; the rest of a larger share is asked for at the start.
class SteadyFetch {
 public:
  LOWP_INLINE SteadyFetch(const PanelTask& t, FetchShare share) : next_(share.from) {
    const size_t steps = StepsOf(t);
    const size_t steady = share.bytes < steps * 64 ? share.bytes : steps * 64;
    Fetch({share.from + steady, share.bytes - steady});
    stride_ = steady / (steps > 0 ? steps : 1);
  }
  LOWP_INLINE void Step() {
    __builtin_prefetch(next_, 0, 2);
    next_ += stride_;
  }

 private:
  const uint8_t* next_;
  size_t stride_ = 0;
};

struct NoFetch {
  LOWP_INLINE void Step() {}
};

// At most `most` rows at a time, in tiles whose sizes differ by at most one; by_rows[i] is the tile of i + 1 rows.
LOWP_INLINE void RunTiles(const PanelTask& t, const TileFunction* by_rows, size_t most) {
  const size_t tiles = (t.m + most - 1) / most, rows = t.m / tiles, larger = t.m % tiles;
  const size_t share = (t.next_bytes / tiles + 63) & ~size_t{63};
  size_t row = 0, begin = 0;
  for (size_t i = 0; i < tiles; i++) {
    const size_t count = rows + (i < larger ? 1 : 0);
    const size_t end = begin + share < t.next_bytes ? begin + share : t.next_bytes;
    by_rows[count - 1](t, row, {t.next + begin, end - begin});
    row += count;
    begin = end;
  }
}

}  // namespace
}  // namespace lowp
