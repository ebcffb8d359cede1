// How a product is cut: blocks of pixels x groups of panels for threads and caches, blocks of steps for the caches.
#pragma once
#include <cstddef>
#include <vector>

#include "kernels/gemm/row.h"

namespace lowp {

struct TilingQuery {
  size_t pixels = 0;
  size_t panels = 0;
  size_t packed_bytes = 0;     // of all panels
  size_t fresh_bytes = 0;      // of x per pixel
  double operations = 0;
  size_t threads = 1;
  size_t l2_bytes = 0;
  size_t unit_rows = 1;        // blocks begin at multiples
  bool large_blocks = false;   // GemmRow::large_blocks
};

// Tiles are pairs of a block of pixels and a group of panels, in an order that decides what neighbours share.
struct Tiling {
  size_t block_rows = 0;
  size_t row_blocks = 0;
  size_t group_panels = 0;
  size_t panel_groups = 0;
  bool panels_first = false;  // all blocks of a group follow each other, otherwise all groups of a block

  size_t tiles() const { return row_blocks * panel_groups; }
  size_t BlockOf(size_t tile) const { return panels_first ? tile % row_blocks : tile / panel_groups; }
  size_t GroupOf(size_t tile) const { return panels_first ? tile / row_blocks : tile % panel_groups; }
};

Tiling ChooseTiling(const TilingQuery& query);

// Segments that are computed before the partial sums of a float product go to memory.
struct StepBlock {
  size_t first_segment = 0;
  size_t segments = 0;
  uint64_t first_step = 0;
  uint64_t steps = 0;
};

// Blocks of about `most_steps` steps; no segment may be longer. No segments are one block without steps.
std::vector<StepBlock> MakeStepBlocks(const std::vector<Segment>& segments, uint64_t most_steps);

}  // namespace lowp
