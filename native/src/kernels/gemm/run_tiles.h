// Cuts the rows of a task into register tiles. For ISA files only.
#pragma once
#include "kernels/gemm/row.h"
#include "simd/inline.h"

namespace lowp {
namespace {

// Rows of the task from `row` on, as many as the tile has.
using TileFunction = void (*)(const PanelTask& task, size_t row);

// Asks for a part of the next task's weights, so that it does not wait for memory.
LOWP_INLINE void Fetch(const PanelTask& t, size_t begin, size_t bytes) {
  const size_t end = begin + bytes < t.next_bytes ? begin + bytes : t.next_bytes;
  for (; begin < end; begin += 64) __builtin_prefetch(t.next + begin, 0, 2);
}

// At most `most` rows at a time, in tiles whose sizes differ by at most one; by_rows[i] is the tile of i + 1 rows.
LOWP_INLINE void RunTiles(const PanelTask& t, const TileFunction* by_rows, size_t most) {
  const size_t tiles = (t.m + most - 1) / most, rows = t.m / tiles, larger = t.m % tiles;
  const size_t share = (t.next_bytes / tiles + 63) & ~size_t{63};
  size_t row = 0;
  for (size_t i = 0; i < tiles; i++) {
    const size_t count = rows + (i < larger ? 1 : 0);
    Fetch(t, i * share, share);
    by_rows[count - 1](t, row);
    row += count;
  }
}

}  // namespace
}  // namespace lowp
