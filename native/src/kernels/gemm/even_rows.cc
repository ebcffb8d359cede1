// Plans gaps and copies.
#include "kernels/gemm/even_rows.h"

#include <algorithm>

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

// What a stored row takes, when `rows` are computed for `stored` ones in tiles of `tile` rows. Two tiles of rows by two
// of weights are four products and four loads; a product takes a cycle for each row, a load of x too, one of 16 rows of
// weights about three for each, as most come from L2.
double Cost(size_t tile, size_t rows, size_t stored) {
  const double weights = 2 * 3 * 16, cycles = static_cast<double>(4 * tile + 2 * tile) + weights;
  return cycles / static_cast<double>(2 * tile) * static_cast<double>(rows) / static_cast<double>(stored);
}

constexpr double kNever = 1e300;

// The rows between lines and planes are computed too.
struct FilledGaps {
  RowGaps gaps;
  size_t rows = 0;
  double cost = kNever;
};

// Not possible when lines or planes do not begin at multiples of a pixel's distance, or there are too many such rows.
FilledGaps FillGaps(size_t batch, const GemmProblem& problem, size_t tile) {
  const RowWalk& w = problem.walk;
  const Loop planes = w.out_d > 1 ? Loop{w.out_d, w.step_z} : Loop{batch, w.step_b};
  FilledGaps found;
  if ((w.out_d > 1 && batch > 1) || w.out_w == 1 || w.step_y % w.step_x != 0) return found;
  RowGaps& gaps = found.gaps;
  gaps.line = gaps.drop_end = w.step_y / w.step_x;
  gaps.drop_begin = w.out_w;
  gaps.used_lines = w.out_h;
  if (planes.count > 1) {
    if (planes.step % w.step_y != 0) return found;
    gaps.lines = planes.step / w.step_y;
  }
  if (gaps.line < w.out_w || gaps.lines < w.out_h) return found;
  const size_t lines = planes.count > 1 ? (planes.count - 1) * gaps.lines + w.out_h : w.out_h;
  found.rows = (lines - 1) * gaps.line + w.out_w;
  if (IsWorthIt(problem.pixels, found.rows)) found.cost = Cost(tile, found.rows, problem.pixels);
  return found;
}

void UseGaps(const FilledGaps& filled, GemmProblem* problem) {
  problem->pixels = filled.rows;
  problem->walk.out_w = filled.rows;
  problem->walk.out_h = problem->walk.out_d = 1;
}

// Every line is cut into whole tiles, the last of which begins earlier and repeats rows.
double OverlapCost(const RowWalk& w, size_t tile) {
  const size_t line = (w.out_w + tile - 1) / tile * tile;
  return w.out_w >= tile && IsWorthIt(w.out_w, line) ? Cost(tile, line, w.out_w) : kNever;
}

void OverlapTiles(size_t tile, GemmProblem* problem, RowGaps* gaps) {
  RowWalk& w = problem->walk;
  const size_t line = (w.out_w + tile - 1) / tile * tile, repeated = line - w.out_w;
  gaps->line = line;
  gaps->drop_begin = line - tile;
  gaps->drop_end = line - tile + repeated;
  problem->pixels = problem->pixels / w.out_w * line;
  w.out_w = line;
  w.back_from = line - tile;
  w.back = repeated;
}

// The most rows, fewer than `most`, of which a line is a whole number; 0 when that would be too few.
size_t DividingTile(size_t line, size_t most) {
  for (size_t tile = most - 1; tile >= most / 2; tile--)
    if (line % tile == 0) return tile;
  return 0;
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
  plan.tile_rows = row.tile_rows;
  if (!row.gather || HasEvenRows(w, batch)) return plan;
  const size_t fewer = DividingTile(w.out_w, row.tile_rows);
  const double divided = fewer > 0 ? Cost(fewer, 1, 1) : kNever;
  double gapped = kNever, overlapped = kNever;
  FilledGaps filled;
  if (!problem->scatter.needed) {
    filled = FillGaps(batch, *problem, row.tile_rows);
    gapped = filled.cost;
    overlapped = OverlapCost(w, row.tile_rows);
  }
  const double least = std::min({gapped, overlapped, divided});
  if (least == kNever) {
    plan.gather = PlanGather(row, problem);
  } else if (least == gapped) {
    plan.gaps = filled.gaps;
    UseGaps(filled, problem);
  } else {
    plan.whole_tiles = true;
    if (least == divided) plan.tile_rows = fewer;
    if (least != divided) OverlapTiles(row.tile_rows, problem, &plan.gaps);
  }
  return plan;
}

}  // namespace lowp
