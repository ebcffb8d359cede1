// Tiles cover everything once; step blocks keep the order of segments.
#include "kernels/gemm/tiling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace lowp::test {
namespace {

TEST(GemmTiling, BlocksCoverPixelsAndPanelsOnce) {
  std::mt19937 random(1);
  for (int i = 0; i < 5000; i++) {
    TilingQuery q;
    q.pixels = 1 + random() % (i % 2 ? 60 : 20000);
    q.panels = 1 + random() % 40;
    q.packed_bytes = random() % (4u << 20);
    q.fresh_bytes = random() % 10000;
    q.unit_rows = 1 + random() % 12;
    q.operations = static_cast<double>(random() % 1000000000);
    q.threads = 1 + random() % 16;
    q.l2_bytes = random() % (2u << 20);
    q.large_blocks = random() % 2;
    const Tiling t = ChooseTiling(q);
    ASSERT_GE(t.block_rows, 1u);
    ASSERT_GE(t.group_panels, 1u);
    ASSERT_GE(t.row_blocks * t.block_rows, q.pixels);
    ASSERT_LT((t.row_blocks - 1) * t.block_rows, q.pixels);
    ASSERT_GE(t.panel_groups * t.group_panels, q.panels);
    ASSERT_LT((t.panel_groups - 1) * t.group_panels, q.panels);
    ASSERT_EQ(t.tiles(), t.row_blocks * t.panel_groups);
  }
}

TEST(GemmTiling, LargeProductsHaveTilesForEveryThread) {
  for (size_t threads : {2, 4, 8}) {
    // 3 x 3 convolution of 64 channels at 56 x 56, and a dense layer of one row by 4096 channels.
    const Tiling image = ChooseTiling({3136, 1, 36864, 64, 231e6, threads, 1 << 20});
    EXPECT_GE(image.tiles(), 4 * threads);
    const Tiling dense = ChooseTiling({1, 32, 16 << 20, 4096, 33e6, threads, 1 << 20});
    EXPECT_GE(dense.tiles(), 4 * threads);
  }
}

// Rows that the busiest of the threads computes, of even shares of consecutive tiles.
size_t LargestShare(const TilingQuery& q) {
  const Tiling t = ChooseTiling(q);
  size_t largest = 0;
  for (size_t thread = 0; thread < q.threads; thread++) {
    size_t rows = 0;
    for (size_t i = t.tiles() * thread / q.threads; i < t.tiles() * (thread + 1) / q.threads; i++) {
      const size_t block = t.BlockOf(i), group = t.GroupOf(i);
      rows += std::min(t.block_rows, q.pixels - block * t.block_rows) *
              std::min(t.group_panels, q.panels - group * t.group_panels);
    }
    largest = std::max(largest, rows);
  }
  return largest;
}

TEST(GemmTiling, ThreadsGetEqualShares) {
  // 14 x 14 and 28 x 28 pixels.
  for (size_t pixels : {196, 784}) {
    const TilingQuery q{pixels, 4, 256 << 10, 1024, 103e6, 2, 2 << 20};
    EXPECT_EQ(LargestShare(q), pixels * 4 / 2) << pixels;
  }
}

TEST(GemmTiling, FewPixelsAreSplitWhereThePanelsAreOdd) {
  // 960 to 160 and to 320 channels at 7 x 7.
  for (size_t panels : {3, 5}) {
    const TilingQuery q{49, panels, panels * 245760, 3840, 15e6 * panels, 2, 2 << 20};
    const Tiling t = ChooseTiling(q);
    EXPECT_TRUE(t.panels_first);
    EXPECT_EQ(t.row_blocks, 2u);
    EXPECT_LE(LargestShare(q), (49 * panels + 1) / 2 + 1);
    EXPECT_EQ(t.GroupOf(0), t.GroupOf(1));
    EXPECT_NE(t.BlockOf(0), t.BlockOf(1));
  }
}

TEST(GemmTiling, ThreadsShareLargeWeightsInsteadOfPixels) {
  // 3 x 3 convolution of 256 channels at 14 x 14: 590 KB of weights, 50 KB of pixels.
  const Tiling deep = ChooseTiling({196, 4, 589824, 256, 231e6, 2, 2 << 20});
  EXPECT_EQ(deep.row_blocks, 1u);
  EXPECT_EQ(deep.panel_groups, 4u);
  // 3 x 3 convolution of 64 channels at 56 x 56: 37 KB of weights, 200 KB of pixels.
  EXPECT_GT(ChooseTiling({3136, 1, 36864, 64, 231e6, 2, 2 << 20}).row_blocks, 1u);
}

TEST(GemmTiling, BlocksOfWholeTiles) {
  const Tiling t = ChooseTiling({112 * 112, 1, 9408, 64, 236e6, 2, 2 << 20, 32});
  EXPECT_EQ(t.block_rows % 32, 0u);
}

TEST(GemmTiling, BlocksAreLargeForASinglePanelAndForRowsThatWantThem) {
  TilingQuery q{112 * 112, 1, 512, 32, 13e6, 1, 2 << 20};
  EXPECT_GE(ChooseTiling(q).block_rows, 256u);
  q.panels = 3;
  EXPECT_LE(ChooseTiling(q).block_rows, 128u);
  q.large_blocks = true;
  EXPECT_GE(ChooseTiling(q).block_rows, 256u);
  q.threads = 8;
  EXPECT_GE(ChooseTiling(q).row_blocks, 12u);
}

TEST(GemmTiling, SmallProductsAreNotSplit) {
  EXPECT_EQ(ChooseTiling({40, 2, 4096, 32, 2e5, 8, 1 << 20}).tiles(), 1u);
}

TEST(GemmTiling, StepBlocksKeepTheOrderAndTheLimit) {
  const std::vector<Segment> segments = {{0, 100}, {400, 100}, {800, 256}, {2000, 1}, {2004, 255}, {3000, 256}};
  const std::vector<StepBlock> blocks = MakeStepBlocks(segments, 256);
  size_t next = 0;
  uint64_t step = 0;
  for (const StepBlock& b : blocks) {
    EXPECT_EQ(b.first_segment, next);
    EXPECT_EQ(b.first_step, step);
    uint64_t steps = 0;
    for (size_t s = 0; s < b.segments; s++) steps += segments[next + s].steps;
    EXPECT_LE(steps, 256u);
    next += b.segments;
    step += steps;
  }
  EXPECT_EQ(next, segments.size());
  EXPECT_EQ(blocks.size(), 4u);
  EXPECT_EQ(MakeStepBlocks(segments, UINT64_MAX).size(), 1u);
  EXPECT_EQ(MakeStepBlocks({}, 256).size(), 1u);
}

}  // namespace
}  // namespace lowp::test
