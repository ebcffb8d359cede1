// Brings the rows of a problem to equal distances, for micro-kernels that load several rows by one distance. Those of a
// k x k convolution leave gaps at the ends of lines and planes.
#pragma once
#include <vector>

#include "kernels/gemm/problem.h"
#include "kernels/gemm/row.h"

namespace lowp {

// Rows are copied one behind the other.
struct GatherPlan {
  bool needed = false;
  std::vector<GatherRun> runs;
  size_t pitch = 0;  // bytes from copy to copy

  size_t Bytes(size_t rows) const { return needed ? rows * pitch + 64 : 0; }
};

struct EvenRows {
  GatherPlan gather;
  RowGaps gaps;
  bool whole_tiles = false;  // rows within a tile of the micro-kernel are at equal distances, others are not
  size_t tile_rows = 1;
};

// How the rows of a problem of one group get to where `row` wants them, preferably by computing the rows in the gaps too
// and dropping their sums: then the problem has these rows as pixels. Where lines are whole numbers of tiles of a few
// rows less, tiles have as many, if that is faster. Where more than a third of the rows would be dropped, rows are
// copied: then the problem's runs become one run of the copy.
EvenRows PlanEvenRows(const GemmRow& row, GemmProblem* problem);

}  // namespace lowp
