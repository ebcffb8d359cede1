// Block sizes from cache sizes and thread count.
#include "kernels/gemm/tiling.h"

#include <algorithm>

#include "kernels/share.h"

namespace lowp {
namespace {

constexpr size_t kSmallBlock = kFewestPixels;
constexpr size_t kUsualBlock = 96;
constexpr size_t kLargestBlock = 384;
constexpr size_t kTilesPerThread = 4;   // so that a thread that is held up leaves some to the others
constexpr double kSmallTile = 1.0e6;    // operations: a few microseconds, not worth splitting

size_t DivideUp(size_t a, size_t b) { return (a + b - 1) / b; }

// Threads that share the panels read each of them once between them, and all of x each, most of which another core has
// just written; those that share the pixels read all panels each. A byte of x costs about four of the weights.
bool SharesPanels(const TilingQuery& q) {
  const size_t x_bytes = q.pixels * q.fresh_bytes;
  const bool even = q.panels % q.threads == 0 || q.panels >= 8 * q.threads;
  return even && q.packed_bytes >= 4 * x_bytes && x_bytes <= q.l2_bytes / 2;
}

// Blocks of few pixels that make the tiles of single panels come out even for the threads, which then read little more
// than their share of the weights. 1 when the panels do without, or there are too few pixels.
size_t EvenBlocks(const TilingQuery& q) {
  constexpr size_t kFewestRows = 12;  // of a block: two register tiles of floats
  for (size_t blocks = 1; blocks == 1 || q.pixels / blocks >= kFewestRows; blocks++) {
    const size_t tiles = q.panels * blocks, busiest = DivideUp(tiles, q.threads) * q.threads;
    if (busiest * 10 <= tiles * 11) return blocks;
  }
  return 1;
}

// Pixels of a block when the weights stay in L2. Panels that take turns should find x in L1, but what a task costs besides
// its products counts more where these are fast.
size_t UsualRows(const TilingQuery& q, bool split) {
  if (q.panels > 1 && !q.large_blocks) return kUsualBlock;
  const size_t share = split ? q.pixels / (kTilesPerThread * q.threads) : q.pixels;
  return std::clamp(share, kUsualBlock, kLargestBlock);
}

}  // namespace

Tiling ChooseTiling(const TilingQuery& q) {
  const bool weights_fit = q.packed_bytes <= q.l2_bytes * 6 / 10;
  const double useful_tiles = std::max(1.0, q.operations / kSmallTile);
  const bool split = q.threads > 1 && useful_tiles > 1;
  size_t blocks = 1, group = weights_fit ? q.panels : 1;
  const size_t even_blocks = split && !SharesPixels(q.pixels, q.threads) ? EvenBlocks(q) : 1;
  bool panels_first = false;
  if (split && SharesPanels(q)) {
    group = std::max<size_t>(1, q.panels / (kTilesPerThread * q.threads));
  } else if (even_blocks > 1) {
    blocks = even_blocks;
    group = 1;
    panels_first = true;
  } else {
    size_t rows = UsualRows(q, split);
    if (!weights_fit) rows = std::clamp(q.l2_bytes / 2 / std::max<size_t>(q.fresh_bytes, 1), kSmallBlock, kLargestBlock);
    const size_t parts = split && SharesPixels(q.pixels, q.threads) ? q.threads : 1;
    blocks = std::max<size_t>(1, (q.pixels + parts * rows / 2) / (parts * rows)) * parts;
    const double wanted = split ? std::min(static_cast<double>(kTilesPerThread * q.threads), useful_tiles) : 1;
    const auto tiles = [&] { return static_cast<double>(blocks * DivideUp(q.panels, group)); };
    while (tiles() < wanted && group > 1) group = DivideUp(group, 2);
    while (tiles() < wanted && q.pixels / (blocks + parts) >= kSmallBlock) blocks += parts;
  }
  Tiling t;
  t.block_rows = std::min(q.pixels, DivideUp(DivideUp(q.pixels, blocks), q.unit_rows) * q.unit_rows);
  t.row_blocks = DivideUp(q.pixels, t.block_rows);
  t.group_panels = group;
  t.panel_groups = DivideUp(q.panels, group);
  t.panels_first = panels_first;
  return t;
}

std::vector<StepBlock> MakeStepBlocks(const std::vector<Segment>& segments, uint64_t most_steps) {
  if (segments.empty()) return {StepBlock{}};
  std::vector<StepBlock> blocks;
  uint64_t step = 0;
  for (size_t s = 0; s < segments.size(); s++) {
    if (blocks.empty() || blocks.back().steps + segments[s].steps > most_steps) {
      blocks.push_back({s, 0, step, 0});
    }
    blocks.back().segments++;
    blocks.back().steps += segments[s].steps;
    step += segments[s].steps;
  }
  return blocks;
}

}  // namespace lowp
