// Plans gaps and copies.
#include "kernels/gemm/even_rows.h"

#include "kernels/gemm/pack.h"

namespace lowp {
namespace {

struct Loop {
  size_t count, step;
};

bool HasEvenRows(const RowWalk& w, size_t batch) {
  const Loop loops[] = {{w.out_w, w.step_x}, {w.out_h, w.step_y}, {w.out_d, w.step_z}, {batch, w.step_b}};
  size_t rows = 1, distance = 0;
  for (const Loop& loop : loops) {
    if (loop.count == 1) continue;
    if (rows > 1 && loop.step != distance * rows) return false;
    if (rows == 1) distance = loop.step;
    rows *= loop.count;
  }
  return true;
}

// Dropped rows may be a third of all.
bool IsWorthIt(size_t stored, size_t rows) { return stored * 3 >= rows * 2; }

// The rows between lines and planes are computed too. False when lines or planes do not begin at multiples of a pixel's
// distance, or there are too many such rows.
bool FillGaps(size_t batch, GemmProblem* problem, RowGaps* gaps) {
  RowWalk& w = problem->walk;
  const Loop planes = w.out_d > 1 ? Loop{w.out_d, w.step_z} : Loop{batch, w.step_b};
  if ((w.out_d > 1 && batch > 1) || w.out_w == 1 || w.step_y % w.step_x != 0) return false;
  RowGaps found;
  found.line = found.drop_end = w.step_y / w.step_x;
  found.drop_begin = w.out_w;
  found.used_lines = w.out_h;
  if (planes.count > 1) {
    if (planes.step % w.step_y != 0) return false;
    found.lines = planes.step / w.step_y;
  }
  if (found.line < w.out_w || found.lines < w.out_h) return false;
  const size_t lines = planes.count > 1 ? (planes.count - 1) * found.lines + w.out_h : w.out_h;
  const size_t rows = (lines - 1) * found.line + w.out_w;
  if (!IsWorthIt(problem->pixels, rows)) return false;
  problem->pixels = rows;
  w.out_w = rows;
  w.out_h = w.out_d = 1;
  *gaps = found;
  return true;
}

// Every line is cut into whole tiles, the last of which begins earlier and repeats rows.
bool OverlapTiles(size_t tile, GemmProblem* problem, RowGaps* gaps) {
  RowWalk& w = problem->walk;
  const size_t line = (w.out_w + tile - 1) / tile * tile, repeated = line - w.out_w;
  if (w.out_w < tile || !IsWorthIt(w.out_w, line)) return false;
  gaps->line = line;
  gaps->drop_begin = line - tile;
  gaps->drop_end = line - tile + repeated;
  problem->pixels = problem->pixels / w.out_w * line;
  w.out_w = line;
  w.back_from = line - tile;
  w.back = repeated;
  return true;
}

GatherPlan PlanGather(const GemmRow& row, GemmProblem* problem) {
  const size_t element = problem->integer ? 1 : 4, step = 4 / element;
  GatherPlan plan;
  plan.needed = true;
  size_t to = 0;
  for (const Run& run : problem->runs) {
    plan.runs.push_back({run.offset * static_cast<int64_t>(element), run.length * element, to * element});
    to += (run.length + step - 1) / step * step;
  }
  std::vector<size_t> source = FilledSource(*problem, step);
  const size_t unit = row.unit_steps * size_t{4};
  plan.pitch = (source.size() * element + unit - 1) / unit * unit;
  problem->fresh_bytes = plan.pitch;
  problem->runs = {{0, source.size()}};
  problem->source = std::move(source);
  return plan;
}

}  // namespace

EvenRows PlanEvenRows(const GemmRow& row, GemmProblem* problem) {
  const RowWalk& w = problem->walk;
  const size_t batch = problem->pixels / (w.out_d * w.out_h * w.out_w);
  EvenRows plan;
  if (!row.gather || HasEvenRows(w, batch)) return plan;
  if (!problem->scatter.needed) {
    if (FillGaps(batch, problem, &plan.gaps)) return plan;
    plan.whole_tiles = OverlapTiles(row.tile_rows, problem, &plan.gaps);
    if (plan.whole_tiles) return plan;
  }
  plan.gather = PlanGather(row, problem);
  return plan;
}

}  // namespace lowp
