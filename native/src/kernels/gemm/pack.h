// Packs the weights of a problem into the panels of a row.
#pragma once
#include <vector>

#include "base/aligned.h"
#include "base/shared_array.h"
#include "base/status.h"
#include "kernels/gemm/problem.h"
#include "kernels/gemm/row.h"

namespace lowp {

// Adjacent output channels of one group that a micro-kernel computes together.
struct Panel {
  size_t n = 0;
  size_t columns = 0;
  uint32_t vectors = 0;
  int64_t row_offset = 0;   // bytes from a row's pointer to the group's channels
  size_t weights = 0;       // bytes into the packed weights
  StepList steps;           // Packing::kProven; offsets lie in PackedWeights::step_offsets
};

struct PackedWeights {
  std::vector<Panel> panels;
  SharedArray<uint8_t> weights;
  AlignedPtr<int32_t> initial;  // -zero_point * sum of the channel's weights; null for f32
  std::vector<int64_t> step_offsets;
  size_t steps = 0;
  size_t bytes = 0;
};

// Splits every group's channels into panels of nearly equal width, of `steps` steps of weights each.
std::vector<Panel> MakePanels(const GemmProblem& problem, const GemmRow& row, size_t steps);

// problem.source with every run filled up to a multiple of `unit` elements.
std::vector<size_t> FilledSource(const GemmProblem& problem, size_t unit);

// The runs as segments of at most `most_steps` steps, nearly equal within a run. Runs end with zero weights up to whole
// steps, and of integers up to whole units of the row's.
std::vector<Segment> MakeSegments(const GemmProblem& problem, const GemmRow& row, uint64_t most_steps);

// kMemory when memory is exhausted.
Result<PackedWeights> PackWeights(const GemmProblem& problem, const GemmRow& row);

}  // namespace lowp
