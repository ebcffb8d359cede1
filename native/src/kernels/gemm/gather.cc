// Plans the copies of rows.
#include "kernels/gemm/gather.h"

namespace lowp {

bool HasEvenRows(const GemmProblem& problem) {
  const RowWalk& w = problem.walk;
  const size_t volume = w.out_d * w.out_h * w.out_w;
  const struct {
    size_t count, step;
  } loops[] = {{w.out_w, w.step_x}, {w.out_h, w.step_y}, {w.out_d, w.step_z}, {problem.pixels / volume, w.step_b}};
  size_t rows = 1, distance = 0;
  for (const auto& loop : loops) {
    if (loop.count == 1) continue;
    if (rows > 1 && loop.step != distance * rows) return false;
    if (rows == 1) distance = loop.step;
    rows *= loop.count;
  }
  return true;
}

GatherPlan PlanGather(const GemmRow& row, GemmProblem* problem) {
  GatherPlan plan;
  plan.needed = row.gather && !HasEvenRows(*problem);
  if (!plan.needed) return plan;
  const size_t element = problem->integer ? 1 : 4, step = 4 / element;
  std::vector<size_t> source;
  size_t next = 0;
  for (const Run& run : problem->runs) {
    plan.runs.push_back({run.offset * static_cast<int64_t>(element), run.length * element, source.size() * element});
    for (size_t i = 0; i < run.length; i++) source.push_back(problem->source[next++]);
    while (source.size() % step != 0) source.push_back(kNoWeight);
  }
  const size_t unit = row.unit_steps * size_t{4};
  plan.pitch = (source.size() * element + unit - 1) / unit * unit;
  problem->fresh_bytes = plan.pitch;
  problem->runs = {{0, source.size()}};
  problem->source = std::move(source);
  return plan;
}

}  // namespace lowp
