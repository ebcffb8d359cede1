// Cuts the rows of a task into register tiles. For ISA files only.
#pragma once
#include "kernels/gemm/row.h"
#include "simd/inline.h"

namespace lowp {
namespace {

// Rows of the task from `row` on, as many as the tile has.
using TileFunction = void (*)(const PanelTask& task, size_t row);

// At most `most` rows at a time, in tiles whose sizes differ by at most one; by_rows[i] is the tile of i + 1 rows.
LOWP_INLINE void RunTiles(const PanelTask& t, const TileFunction* by_rows, size_t most) {
  const size_t tiles = (t.m + most - 1) / most, rows = t.m / tiles, larger = t.m % tiles;
  size_t row = 0;
  for (size_t i = 0; i < tiles; i++) {
    const size_t count = rows + (i < larger ? 1 : 0);
    by_rows[count - 1](t, row);
    row += count;
  }
}

}  // namespace
}  // namespace lowp
