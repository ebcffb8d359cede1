// Windows over lines: the tiles that lines are enough for, against a search.
#include "kernels/follow.h"

#include <gtest/gtest.h>

#include <random>

namespace lowp::test {
namespace {

TEST(Follow, WindowsWithinLines) {
  std::mt19937 random(3);
  for (int i = 0; i < 3000; i++) {
    LineWindows w;
    w.in_h = 1 + random() % 12;
    w.out_h = 1 + random() % 12;
    w.stride = 1 + random() % 3;
    w.pad_top = random() % 4;
    w.reach = 1 + random() % 5;
    const size_t images = 1 + random() % 3, tiles = images * w.out_h, lines = images * w.in_h;
    const size_t end = random() % (lines + 1), begin = end == 0 ? 0 : random() % end;
    const IndexRange found = w.Within({begin, end}, tiles);
    for (size_t t = found.begin; t < found.end; t++) {
      for (size_t below = 0; below < w.reach; below++) {
        const size_t y = t % w.out_h * w.stride + below;
        if (y < w.pad_top || y - w.pad_top >= w.in_h) continue;
        const size_t line = t / w.out_h * w.in_h + y - w.pad_top;
        ASSERT_TRUE(line >= begin && line < end) << "tile " << t << " reads line " << line;
      }
    }
    const IndexRange all = w.Within({0, lines}, tiles);
    EXPECT_EQ(all.begin, 0u);
    EXPECT_EQ(all.end, tiles);
    const IndexRange more = w.Within({begin, lines}, tiles);
    if (found.end > found.begin) {
      EXPECT_EQ(more.begin, found.begin);
    }
  }
}

TEST(Follow, WholePieces) {
  EXPECT_EQ(Whole({5, 23}, 5).begin, 1u);
  EXPECT_EQ(Whole({5, 23}, 5).end, 4u);
  EXPECT_EQ(Whole({6, 23}, 5).begin, 2u);
}

}  // namespace
}  // namespace lowp::test
