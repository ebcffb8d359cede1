// Sorts the steps of a panel by the cheapest way of multiplying them that is proven exact.
#pragma once
#include "kernels/gemm/row.h"

namespace lowp {

struct PanelSteps {
  const int8_t* quads = nullptr;     // kQuads: [steps][columns][4]
  size_t steps = 0;
  size_t columns = 0;                // lanes * vectors; those beyond the output channels are 0
  size_t lanes = 0;
  const int64_t* offsets = nullptr;  // [steps], bytes of x
};

// The first way that pairs only weights that are safe in every column (IsSafePair), kWide when none does.
StepWay ProveStep(const int8_t* quads, size_t columns);

// Writes the panel in kProven to `weights`, which may not overlap the quads, the offsets in the same order to
// `offsets`, and the number of steps of each way to `counts`.
void SortSteps(const PanelSteps& panel, uint8_t* weights, int64_t* offsets, uint64_t (&counts)[kStepWays]);

}  // namespace lowp
