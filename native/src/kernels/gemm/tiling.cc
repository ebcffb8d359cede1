// Block sizes from cache sizes and thread count.
#include "kernels/gemm/tiling.h"

#include <algorithm>

namespace lowp {
namespace {

constexpr size_t kSmallBlock = 48;      // pixels: still several register tiles, enough to reuse a panel in L1
constexpr size_t kUsualBlock = 96;
constexpr size_t kLargestBlock = 384;
constexpr double kSmallTile = 1.0e6;    // operations: a few microseconds, not worth splitting

size_t DivideUp(size_t a, size_t b) { return (a + b - 1) / b; }

// Blocks of equal size, a multiple of the register tile, of at most `rows`.
size_t EvenBlock(size_t pixels, size_t rows, size_t most_rows) {
  const size_t blocks = DivideUp(pixels, rows);
  return std::min(pixels, DivideUp(DivideUp(pixels, blocks), most_rows) * most_rows);
}

}  // namespace

Tiling ChooseTiling(const TilingQuery& q) {
  Tiling t;
  const bool weights_fit = q.packed_bytes <= q.l2_bytes * 6 / 10;
  size_t rows = kUsualBlock;
  if (!weights_fit) rows = std::clamp(q.l2_bytes / 2 / std::max<size_t>(q.fresh_bytes, 1), kSmallBlock, kLargestBlock);
  t.group_panels = weights_fit ? q.panels : 1;
  const double useful_tiles = std::max(1.0, q.operations / kSmallTile);
  const double wanted = q.threads == 1 ? 1 : std::min(4.0 * static_cast<double>(q.threads), useful_tiles);
  const auto tiles = [&] { return static_cast<double>(DivideUp(q.pixels, rows) * DivideUp(q.panels, t.group_panels)); };
  while (tiles() < wanted && rows > kSmallBlock && q.pixels > kSmallBlock) rows = std::max(kSmallBlock, rows / 2);
  while (tiles() < wanted && t.group_panels > 1) t.group_panels = DivideUp(t.group_panels, 2);
  t.block_rows = EvenBlock(q.pixels, rows, q.most_rows);
  t.row_blocks = DivideUp(q.pixels, t.block_rows);
  t.panel_groups = DivideUp(q.panels, t.group_panels);
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
