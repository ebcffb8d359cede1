// Tests of `multiclass_nms`: boxes by hand, decays, cuts and orders, calls that are refused.
#include "kernels/multiclass_nms/multiclass_nms.h"

#include <cmath>

#include "kernel_harness.h"

namespace lowp::test {
namespace {

MulticlassNmsParams Plain(uint32_t images, uint32_t classes, uint32_t boxes, uint32_t decay, float threshold) {
  MulticlassNmsParams p{};
  p.images = images;
  p.classes = classes;
  p.boxes = boxes;
  p.background = p.top_k = p.keep_top_k = -1;
  p.decay = decay;
  p.threshold = threshold;
  p.eta = 1;
  return p;
}

struct Selected {
  std::vector<int64_t> indices, counts;
  std::vector<float> labels, scores;
  bool operator==(const Selected&) const = default;
};

Selected Select(const MulticlassNmsParams& p, const std::vector<float>& boxes, const std::vector<float>& scores) {
  const size_t most = size_t{p.images} * p.classes * p.boxes;
  const Buffer x = Buffer::F32(boxes), s = Buffer::F32(scores);
  Buffer rows(ElementType::kF32, most * 6), indices(ElementType::kI64, most), counts(ElementType::kI64, p.images);
  Buffer total(ElementType::kI64, 1);
  RunCall({&kernel_multiclass_nms, &p, {&x, &s}, {}, {&rows, &indices, &counts, &total}}, Isa::kScalar);
  Selected selected;
  selected.counts = counts.to_vector<int64_t>();
  const size_t found = static_cast<size_t>(total.as<int64_t>()[0]);
  for (size_t i = 0; i < most; i++) {
    const float* row = rows.as<float>() + 6 * i;
    const int64_t index = indices.as<int64_t>()[i];
    if (i >= found) {
      EXPECT_TRUE(index == 0 && row[1] == 0 && row[5] == 0) << "left over";
      continue;
    }
    selected.labels.push_back(row[0]);
    selected.scores.push_back(row[1]);
    selected.indices.push_back(index);
    for (size_t c = 0; c < 4; c++) EXPECT_EQ(row[2 + c], boxes[4 * static_cast<size_t>(index) + c]);
  }
  return selected;
}

// Boxes 0 and 1 overlap by a third, 2 lies apart.
const std::vector<float> kBoxes = {0, 0, 4, 4, 2, 0, 6, 4, 8, 0, 12, 4};

TEST(MulticlassNms, SuppressesClassByClass) {
  MulticlassNmsParams p = Plain(1, 2, 3, 0, 0.25f);
  p.score_threshold = 0.25f;
  const std::vector<float> scores = {0.5f, 0.75f, 0.25f, 0, 0.5f, 0.5f};
  EXPECT_EQ(Select(p, kBoxes, scores), (Selected{{1, 1, 2, 2}, {4}, {0, 1, 1, 0}, {0.75f, 0.5f, 0.5f, 0.25f}}));
  p.order = 1;
  EXPECT_EQ(Select(p, kBoxes, scores), (Selected{{1, 2, 1, 2}, {4}, {0, 0, 1, 1}, {0.75f, 0.25f, 0.5f, 0.5f}}));
  p.keep_top_k = 2;
  EXPECT_EQ(Select(p, kBoxes, scores), (Selected{{1, 1}, {2}, {0, 1}, {0.75f, 0.5f}}));
  p.background = 0;
  EXPECT_EQ(Select(p, kBoxes, scores), (Selected{{1, 2}, {2}, {1, 1}, {0.5f, 0.5f}}));
  p.top_k = 1;
  EXPECT_EQ(Select(p, kBoxes, scores), (Selected{{1}, {1}, {1}, {0.5f}}));
}

TEST(MulticlassNms, DropsFromTheThresholdOn) {
  const std::vector<float> scores = {3, 2, 1};
  const std::vector<float> half = {0, 0, 4, 4, 0, 0, 4, 2, 9, 9, 9, 9};
  EXPECT_EQ(Select(Plain(1, 1, 3, 0, 0.5f), half, scores).indices, (std::vector<int64_t>{0, 2}));
  MulticlassNmsParams p = Plain(1, 1, 3, 0, 0.625f);
  EXPECT_EQ(Select(p, half, scores).indices, (std::vector<int64_t>{0, 1, 2}));
  p.eta = 0.5f;
  EXPECT_EQ(Select(p, half, scores).indices, (std::vector<int64_t>{0, 2})) << "the threshold has shrunk";
  // With pixels that belong to boxes, sides of 5 and 3: an overlap of 0.6.
  p = Plain(1, 1, 3, 0, 0.59f);
  p.extent = 1;
  EXPECT_EQ(Select(p, half, scores).indices, (std::vector<int64_t>{0, 2}));
}

TEST(MulticlassNms, LowersScores) {
  const std::vector<float> scores = {3, 2, 1};
  const auto lowered = [&](uint32_t decay, float threshold) {
    MulticlassNmsParams p = Plain(1, 1, 3, decay, threshold);
    p.sigma = 2;
    return Select(p, kBoxes, scores).scores;
  };
  const std::vector<float> linear = lowered(1, 0);
  ASSERT_EQ(linear.size(), 3u);
  EXPECT_EQ(linear[0], 3);
  EXPECT_NEAR(linear[1], 2 * (1 - 1.0 / 3), 1e-6);
  EXPECT_NEAR(lowered(2, 0)[1], 2 * std::exp(-2.0 / 9), 1e-6);
  EXPECT_EQ(lowered(1, 1), (std::vector<float>{3, linear[1]})) << "above the threshold";
}

TEST(MulticlassNms, ListsImagesTogether) {
  MulticlassNmsParams p = Plain(2, 2, 1, 0, 0.5f);
  p.score_threshold = 1;
  const std::vector<float> boxes = {0, 0, 1, 1, 2, 2, 3, 3}, scores = {1, 2, 4, 0};
  EXPECT_EQ(Select(p, boxes, scores), (Selected{{0, 0, 1}, {2, 1}, {1, 0, 0}, {2, 1, 4}}));
  p.order = 2;
  EXPECT_EQ(Select(p, boxes, scores), (Selected{{1, 0, 0}, {2, 1}, {0, 1, 0}, {4, 2, 1}}));
  p.order = 3;
  EXPECT_EQ(Select(p, boxes, scores), (Selected{{0, 1, 0}, {2, 1}, {0, 0, 1}, {1, 4, 2}}));
}

TEST(MulticlassNms, RefusesBadCalls) {
  const Buffer boxes(ElementType::kF32, 24), scores(ElementType::kF32, 18), rows(ElementType::kF32, 18 * 6);
  const Buffer indices(ElementType::kI32, 18), counts(ElementType::kI32, 2), total(ElementType::kI32, 1);
  const auto refuses = [](const MulticlassNmsParams& p, const Buffer& x, const Buffer& s, const Buffer& y,
                          const Buffer& i, const Buffer& c, const Buffer& t) {
    return !ValidateOnly({&kernel_multiclass_nms, &p, {&x, &s}, {}, {&y, &i, &c, &t}}).ok();
  };
  const MulticlassNmsParams good = Plain(2, 3, 3, 0, 0.5f);
  ASSERT_FALSE(refuses(good, boxes, scores, rows, indices, counts, total));
  EXPECT_TRUE(refuses(good, scores, scores, rows, indices, counts, total));
  EXPECT_TRUE(refuses(good, boxes, boxes, rows, indices, counts, total));
  EXPECT_TRUE(refuses(good, boxes, scores, boxes, indices, counts, total));
  EXPECT_TRUE(refuses(good, boxes, scores, rows, counts, counts, total));
  EXPECT_TRUE(refuses(good, boxes, scores, rows, indices, total, total));
  EXPECT_TRUE(refuses(good, boxes, scores, rows, indices, counts, Buffer(ElementType::kI64, 1)));
  EXPECT_TRUE(refuses(Plain(2, 3, 3, 3, 0.5f), boxes, scores, rows, indices, counts, total));
  MulticlassNmsParams bad = good;
  bad.order = 4;
  EXPECT_TRUE(refuses(bad, boxes, scores, rows, indices, counts, total));
  EXPECT_TRUE(refuses(Plain(UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, 1), boxes, scores, rows, indices, counts, total));
}

}  // namespace
}  // namespace lowp::test
