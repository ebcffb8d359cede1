// Rows that lie at unequal distances, as those of a k x k convolution do at the ends of its lines, copied one behind the
// other for micro-kernels that load several rows by one distance.
#pragma once
#include <vector>

#include "kernels/gemm/problem.h"
#include "kernels/gemm/row.h"

namespace lowp {

struct GatherPlan {
  bool needed = false;
  std::vector<GatherRun> runs;
  size_t pitch = 0;  // bytes from copy to copy

  size_t Bytes(size_t rows) const { return needed ? rows * pitch + 64 : 0; }
};

// True when all rows of the problem lie at one distance.
bool HasEvenRows(const GemmProblem& problem);

// What brings the rows of a problem of one group to where `row` wants them. When they must be copied, the problem's runs
// become one run of the copy.
GatherPlan PlanGather(const GemmRow& row, GemmProblem* problem);

}  // namespace lowp
