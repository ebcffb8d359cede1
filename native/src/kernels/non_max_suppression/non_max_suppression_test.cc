// Tests of `non_max_suppression`: boxes by hand, orders and rows that are left over, soft suppression, calls that are
// refused.
#include "kernels/non_max_suppression/non_max_suppression.h"

#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

using Rows = std::vector<std::vector<int64_t>>;

struct Selection {
  Rows rows;  // image, class, box
  std::vector<float> scores;
};

Selection Select(const NonMaxSuppressionParams& p, const std::vector<float>& boxes, const std::vector<float>& scores) {
  const size_t most = size_t{p.images} * p.classes * p.most;
  const Buffer x = Buffer::F32(boxes), s = Buffer::F32(scores);
  Buffer indices(ElementType::kI64, most * 3), found(ElementType::kF32, most * 3), count(ElementType::kI64, 1);
  Buffer narrow(ElementType::kI32, most * 3);
  RunCall({&kernel_non_max_suppression, &p, {&x, &s}, {}, {&indices, &found, &count}}, Isa::kScalar);
  RunCall({&kernel_non_max_suppression, &p, {&x, &s}, {}, {&narrow}}, Isa::kScalar, 2);
  Selection result;
  const size_t rows = static_cast<size_t>(count.as<int64_t>()[0]);
  for (size_t i = 0; i < most; i++) {
    const int64_t* index = indices.as<int64_t>() + 3 * i;
    const float* score = found.as<float>() + 3 * i;
    for (size_t c = 0; c < 3; c++) EXPECT_EQ(narrow.as<int32_t>()[3 * i + c], index[c]);
    if (i < rows) {
      for (size_t c = 0; c < 2; c++) EXPECT_EQ(score[c], static_cast<float>(index[c]));
      result.rows.push_back({index, index + 3});
      result.scores.push_back(score[2]);
    } else {
      for (size_t c = 0; c < 3; c++) EXPECT_TRUE(index[c] == -1 && score[c] == 0) << "left over";
    }
  }
  return result;
}

// Boxes 0 and 1 overlap by a third, 2 is the first one turned around, 3 lies apart.
const std::vector<float> kBoxes = {0, 0, 4, 4, 2, 0, 6, 4, 4, 4, 0, 0, 8, 8, 9, 9};

// images, classes, boxes, most, center, sorted, at_threshold, soft_drops, overlap, score, sigma
NonMaxSuppressionParams Plain(uint32_t most, float overlap) { return {1, 1, 4, most, 0, 1, 0, 0, overlap, 0, 0}; }

TEST(NonMaxSuppression, TakesByScoreThenByIndex) {
  const std::vector<float> scores = {0.5f, 0.75f, 0.5f, 0.25f};
  EXPECT_EQ(Select(Plain(4, 0.5f), kBoxes, scores).rows, (Rows{{0, 0, 1}, {0, 0, 0}, {0, 0, 3}}));
  EXPECT_EQ(Select(Plain(4, 1), kBoxes, scores).rows, (Rows{{0, 0, 1}, {0, 0, 0}, {0, 0, 2}, {0, 0, 3}}));
  EXPECT_EQ(Select(Plain(2, 1), kBoxes, scores).rows, (Rows{{0, 0, 1}, {0, 0, 0}}));
  NonMaxSuppressionParams p = Plain(4, 1);
  p.at_threshold = 1;
  EXPECT_EQ(Select(p, kBoxes, scores).rows, (Rows{{0, 0, 1}, {0, 0, 0}, {0, 0, 3}}));
  p.score_threshold = 0.5f;
  EXPECT_EQ(Select(p, kBoxes, scores).rows, (Rows{{0, 0, 1}}));
  EXPECT_EQ(Select(p, kBoxes, {NAN, NAN, NAN, NAN}).rows, Rows{});
}

TEST(NonMaxSuppression, ReadsCentersAndSizes) {
  NonMaxSuppressionParams p{1, 1, 2, 2, 1, 1, 0, 0, 0.25f, 0, 0};
  const std::vector<float> scores = {1, 2};
  EXPECT_EQ(Select(p, {2, 2, 4, 4, 4, 2, 4, 4}, scores).rows, (Rows{{0, 0, 1}}));
  p.overlap_threshold = 0.5f;
  EXPECT_EQ(Select(p, {2, 2, 4, 4, 4, 2, 4, 4}, scores).rows, (Rows{{0, 0, 1}, {0, 0, 0}}));
}

TEST(NonMaxSuppression, OrdersImagesAndClasses) {
  NonMaxSuppressionParams p{2, 2, 1, 1, 0, 1, 0, 0, 0.5f, 0, 0};
  const std::vector<float> boxes = {0, 0, 1, 1, 0, 0, 1, 1}, scores = {1, 3, 3, 2};
  const Selection sorted = Select(p, boxes, scores);
  EXPECT_EQ(sorted.rows, (Rows{{0, 1, 0}, {1, 0, 0}, {1, 1, 0}, {0, 0, 0}}));
  EXPECT_EQ(sorted.scores, (std::vector<float>{3, 3, 2, 1}));
  p.sorted = 0;
  EXPECT_EQ(Select(p, boxes, scores).rows, (Rows{{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 1, 0}}));
}

TEST(NonMaxSuppression, LowersScoresSoftly) {
  NonMaxSuppressionParams p = Plain(4, 0.5f);
  p.sigma = 0.5f;
  const std::vector<float> scores = {1, 0.75f, 0.5f, 0.125f};
  const Selection soft = Select(p, kBoxes, scores);
  // Box 1 meets box 0 by a third; box 2 is box 0, and meets box 1 too.
  const auto kept = [](double overlap) { return static_cast<float>(std::exp(-overlap * overlap)); };
  const float third = 1.0f / 3;
  EXPECT_EQ(soft.rows, (Rows{{0, 0, 0}, {0, 0, 1}, {0, 0, 2}, {0, 0, 3}}));
  EXPECT_EQ(soft.scores, (std::vector<float>{1, 0.75f * kept(third), 0.5f * kept(third) * kept(1), 0.125f}));
  p.soft_drops = 1;
  EXPECT_EQ(Select(p, kBoxes, scores).rows, (Rows{{0, 0, 0}, {0, 0, 1}, {0, 0, 3}}));
  p.score_threshold = 0.7f;
  EXPECT_EQ(Select(p, kBoxes, scores).rows, (Rows{{0, 0, 0}})) << "box 1 has sunk to 0.67";
  EXPECT_EQ(Select(p, kBoxes, {INFINITY, 0.75f, INFINITY, 0}).rows, (Rows{{0, 0, 0}}));
}

// Many more candidates than are wanted: they are ranked in parts.
TEST(NonMaxSuppression, TakesTheSameWhenMoreAreWanted) {
  constexpr uint32_t kCount = 3000;
  std::vector<float> boxes = RandomFloats(kCount * 4, 5, 0, 1);
  const std::vector<float> scores = RandomFloats(kCount, 6, 0, 1);
  const NonMaxSuppressionParams all{1, 1, kCount, kCount, 0, 1, 0, 0, 0.1f, 0, 0};
  const Rows expected = Select(all, boxes, scores).rows;
  ASSERT_GT(expected.size(), 40u);
  for (uint32_t most : {1u, 2u, 40u}) {
    NonMaxSuppressionParams few = all;
    few.most = most;
    EXPECT_EQ(Select(few, boxes, scores).rows, Rows(expected.begin(), expected.begin() + most));
  }
}

TEST(NonMaxSuppression, RefusesBadCalls) {
  const Buffer boxes(ElementType::kF32, 40), scores(ElementType::kF32, 30), indices(ElementType::kI32, 36);
  const Buffer found(ElementType::kF32, 36), count(ElementType::kI32, 1);
  const auto refuses = [](const NonMaxSuppressionParams& p, const Buffer& x, const Buffer& s, const Buffer& i,
                          const Buffer& f, const Buffer& n) {
    return !ValidateOnly({&kernel_non_max_suppression, &p, {&x, &s}, {}, {&i, &f, &n}}).ok();
  };
  const NonMaxSuppressionParams good{2, 3, 5, 2, 0, 0, 0, 0, 0, 0, 0};
  ASSERT_FALSE(refuses(good, boxes, scores, indices, found, count));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kF32, 41), scores, indices, found, count));
  EXPECT_TRUE(refuses(good, boxes, Buffer(ElementType::kF32, 15), indices, found, count));
  EXPECT_TRUE(refuses(good, boxes, scores, Buffer(ElementType::kF32, 36), found, count));
  EXPECT_TRUE(refuses(good, boxes, scores, Buffer(ElementType::kI32, 35), found, count));
  EXPECT_TRUE(refuses(good, boxes, scores, indices, Buffer(ElementType::kI32, 36), count));
  EXPECT_TRUE(refuses(good, boxes, scores, indices, found, Buffer(ElementType::kI64, 1)));
  EXPECT_TRUE(refuses({2, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0}, boxes, scores, indices, found, count));
  EXPECT_TRUE(refuses({2, 3, 5, 6, 0, 0, 0, 0, 0, 0, 0}, boxes, scores, indices, found, count));
  EXPECT_TRUE(refuses({2, 3, 5, 2, 2, 0, 0, 0, 0, 0, 0}, boxes, scores, indices, found, count));
  const uint32_t many = UINT32_MAX;
  EXPECT_TRUE(refuses({many, many, many, many, 0, 0, 0, 0, 0, 0, 0}, boxes, scores, indices, found, count));
}

}  // namespace
}  // namespace lowp::test
