// Every row of a problem is stored exactly once, in order, and rows of a tile lie at one distance.
#include "kernels/gemm/even_rows.h"

#include <gtest/gtest.h>

#include <random>

namespace lowp::test {
namespace {

GemmRow TileRow() {
  GemmRow row = {};
  row.unit_steps = 16;
  row.tile_rows = 16;
  row.gather = [](const GatherTask&) {};
  return row;
}

// Offsets of the rows as the walk gives them.
std::vector<size_t> RowsOf(const RowWalk& w, size_t pixels) {
  std::vector<size_t> rows;
  for (size_t i = 0; i < pixels; i++) {
    const size_t x = i % w.out_w, line = i / w.out_w, y = line % w.out_h, plane = line / w.out_h;
    rows.push_back(plane / w.out_d * w.step_b + plane % w.out_d * w.step_z + y * w.step_y +
                   (x < w.back_from ? x : x - w.back) * w.step_x);
  }
  return rows;
}

GemmProblem ImageProblem(size_t batch, size_t height, size_t width, size_t stride, size_t extra) {
  GemmProblem p;
  p.integer = true;
  p.walk.out_h = height;
  p.walk.out_w = width;
  p.walk.step_x = 8 * stride;
  p.walk.step_y = 8 * stride * (width * stride + extra);
  p.walk.step_b = p.walk.step_y * (height + extra);
  p.pixels = batch * height * width;
  p.runs = {{0, 24}, {static_cast<int64_t>(p.walk.step_y / stride), 23}};
  for (size_t i = 0; i < 47; i++) p.source.push_back(i);
  return p;
}

TEST(EvenRows, StoreEveryRowOnceInOrder) {
  std::mt19937 random(3);
  size_t gaps = 0, copies = 0, narrower = 0;
  for (int i = 0; i < 2000; i++) {
    GemmProblem p = ImageProblem(1 + random() % 3, 1 + random() % 9, 1 + random() % 50, 1 + random() % 2, random() % 4);
    const std::vector<size_t> wanted = RowsOf(p.walk, p.pixels);
    const EvenRows even = PlanEvenRows(TileRow(), &p);
    const std::vector<size_t> rows = RowsOf(p.walk, p.pixels);
    if (even.gather.needed) {
      copies++;
      ASSERT_EQ(rows, wanted);
      ASSERT_EQ(p.runs.size(), 1u);
      ASSERT_EQ(p.source.size(), 48u);
      ASSERT_EQ(even.gather.pitch, 64u);
      continue;
    }
    gaps += even.gaps.line > 0;
    std::vector<size_t> stored;
    for (size_t row = 0; row < p.pixels; row++) {
      bool keep = true;
      const RowGaps& g = even.gaps;
      const size_t alike = g.line > 0 ? g.Alike(row % g.line, row / g.line % g.lines, 1, &keep) : 1;
      ASSERT_EQ(alike, 1u);
      ASSERT_EQ(g.Stored(row), stored.size());
      if (keep) stored.push_back(rows[row]);
    }
    ASSERT_EQ(stored, wanted);
    ASSERT_EQ(even.gaps.Stored(p.pixels), wanted.size());
    ASSERT_LE(wanted.size(), p.pixels);
    ASSERT_GE(wanted.size() * 3, p.pixels * 2);
    const size_t tile_rows = even.tile_rows;
    narrower += tile_rows < 16;
    ASSERT_TRUE(tile_rows == 16 || (tile_rows >= 8 && p.pixels % tile_rows == 0));
    for (size_t tile = 0; tile + tile_rows <= p.pixels; tile += tile_rows)
      for (size_t row = tile + 2; row < tile + tile_rows; row++)
        ASSERT_EQ(rows[row] - rows[row - 1], rows[tile + 1] - rows[tile]);
  }
  EXPECT_GT(gaps, 200u);
  EXPECT_GT(copies, 200u);
  EXPECT_GT(narrower, 200u);
}

TEST(EvenRows, LinesOfFewPixelsAreTilesOfAsManyRows) {
  for (const size_t width : {13, 14, 15, 28, 26}) {
    for (const size_t stride : {1, 2}) {
      GemmProblem p = ImageProblem(1, 14, width, stride, 2);
      const EvenRows even = PlanEvenRows(TileRow(), &p);
      // Of 28 pixels at a stride of 1 two of 30 rows are dropped; tiles of 14 rows load weights more often than that.
      const bool narrower = width < 16 || stride == 2;
      EXPECT_EQ(even.whole_tiles, narrower) << width << " " << stride;
      EXPECT_EQ(even.tile_rows, !narrower ? 16 : width > 15 ? width / 2 : width) << width << " " << stride;
      if (narrower) {
        EXPECT_EQ(p.pixels, 14 * width);
      }
    }
  }
}

TEST(EvenRows, RowsOfOtherMicroKernelsStay) {
  GemmProblem p = ImageProblem(1, 5, 20, 1, 2);
  const size_t pixels = p.pixels;
  const EvenRows even = PlanEvenRows(GemmRow{}, &p);
  EXPECT_FALSE(even.gather.needed);
  EXPECT_EQ(even.gaps.line, 0u);
  EXPECT_EQ(p.pixels, pixels);
  EXPECT_EQ(p.runs.size(), 2u);
}

}  // namespace
}  // namespace lowp::test
