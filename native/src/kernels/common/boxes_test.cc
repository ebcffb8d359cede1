// Tests of boxes.h: ranks, overlaps at their edges, the exponential function against a longer one.
#include "kernels/common/boxes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lowp::test {
namespace {

TEST(Boxes, RanksByFallingScoreThenByPosition) {
  const std::vector<float> scores = {-1, 0.0f, -0.0f, INFINITY, 2, -INFINITY, 2, -NAN, NAN};
  std::vector<uint64_t> keys;
  for (uint32_t i = 0; i < scores.size(); i++) keys.push_back(RankKey(scores[i], i));
  for (size_t most = 0; most <= scores.size() + 1; most++) {
    std::vector<uint64_t> own = keys;
    const size_t ranked = RankBest(own.data(), own.size(), most);
    ASSERT_EQ(ranked, std::min(most, scores.size()));
    const std::vector<uint32_t> expected = {3, 4, 6, 1, 2, 0, 5, 7, 8};
    for (size_t i = 0; i < ranked; i++) EXPECT_EQ(PositionOfKey(own[i]), expected[i]);
  }
}

TEST(Boxes, OverlapsAtEdgesAndOfNothing) {
  const Box square{{0, 0}, {2, 2}};
  EXPECT_EQ(OverlapOf(square, square), 1);
  EXPECT_EQ(OverlapOf(square, {{1, 0}, {3, 2}}), 1.0f / 3);
  EXPECT_EQ(OverlapOf(square, {{2, 0}, {4, 2}}), 0) << "they touch";
  EXPECT_EQ(OverlapOf(square, {{3, 0}, {4, 2}}), 0);
  EXPECT_EQ(OverlapOf({{1, 1}, {1, 1}}, {{1, 1}, {1, 1}}), 0) << "nothing in common";
  EXPECT_EQ(OverlapOf(square, {{NAN, 0}, {2, 2}}), 0);
  const Suppression above{0.5f, false}, at{1, true}, always{-1, false};
  EXPECT_TRUE(above.GivesWay(square, &square, 1));
  EXPECT_FALSE(above.GivesWay(square, &square, 0));
  EXPECT_TRUE(at.GivesWay(square, &square, 1));
  EXPECT_FALSE((Suppression{1, false}.GivesWay(square, &square, 1)));
  EXPECT_TRUE(always.GivesWay({{8, 8}, {9, 9}}, &square, 1));
  EXPECT_FALSE(always.GivesWay(square, &square, 0));
  const Suppression touching{0, true};
  const Box endless{{0, 0}, {INFINITY, INFINITY}};
  EXPECT_TRUE(touching.GivesWay({{8, 8}, {9, 9}}, &square, 1)) << "0 is enough";
  EXPECT_FALSE(touching.GivesWay(endless, &endless, 1)) << "the overlap is no number";
  EXPECT_FALSE(always.GivesWay(endless, &endless, 1));
}

TEST(Boxes, CountsPixelsThatBelongToBoxes) {
  const Box square{{0, 0}, {1, 1}}, next{{1, 0}, {2, 1}};
  EXPECT_EQ(AreaOf(square, 1), 4);
  EXPECT_EQ(OverlapOf(square, next, 1), 1.0f / 3);
  EXPECT_EQ(OverlapOf(square, {{2, 0}, {3, 1}}, 1), 0) << "corners do not meet";
  EXPECT_TRUE((Suppression{0.25f, false, 1}.GivesWay(next, &square, 1)));
  EXPECT_FALSE((Suppression{0.25f, false}.GivesWay(next, &square, 1)));
}

TEST(Boxes, RefinesByShares) {
  const Box box = Refine({{0, 0}, {3, 3}}, {0.5, -0.25}, {std::log(2.0), 9}, 1, 1, std::log(2.0));
  EXPECT_DOUBLE_EQ(box.near[0], 0);
  EXPECT_DOUBLE_EQ(box.far[0], 7);
  EXPECT_DOUBLE_EQ(box.near[1], -3);
  EXPECT_DOUBLE_EQ(box.far[1], 4) << "no more than twice as high";
}

TEST(Boxes, ExponentialIsWithinAnUlp) {
  double worst = 0;
  for (int i = -74400; i <= 70970; i++) {
    const double x = i * 0.01 + 1e-7 * (i % 89);
    const long double exact = std::exp(static_cast<long double>(x));
    int exponent = 0;
    std::frexp(static_cast<double>(exact), &exponent);
    const long double ulp = std::ldexp(1.0L, std::max(exponent, -1021) - 53);
    worst = std::max(worst, static_cast<double>(std::fabs(static_cast<long double>(ExponentialOf(x)) - exact) / ulp));
  }
  EXPECT_LE(worst, 1);
  EXPECT_EQ(ExponentialOf(0), 1);
  EXPECT_EQ(ExponentialOf(1000), INFINITY);
  EXPECT_EQ(ExponentialOf(INFINITY), INFINITY);
  EXPECT_EQ(ExponentialOf(-1000), 0);
  EXPECT_EQ(ExponentialOf(-INFINITY), 0);
  EXPECT_TRUE(std::isnan(ExponentialOf(NAN)));
}

}  // namespace
}  // namespace lowp::test
