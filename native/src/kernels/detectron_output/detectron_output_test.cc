// Tests of `detectron_output`: moved regions by hand, suppression class by class, cuts, calls that are refused.
#include "kernels/detectron_output/detectron_output.h"

#include <cmath>

#include "kernel_harness.h"

namespace lowp::test {
namespace {

DetectronOutputParams Plain(uint32_t regions, uint32_t classes, uint32_t most) {
  DetectronOutputParams p{};
  p.regions = regions;
  p.classes = classes;
  p.max_detections = most;
  p.post_nms_count = -1;
  p.nms_threshold = 0.5f;
  p.max_delta_log_wh = 4;
  p.weight_x = p.weight_y = p.weight_w = p.weight_h = 1;
  return p;
}

struct Detections {
  std::vector<float> boxes, scores;
  std::vector<int32_t> labels;
};

Detections Detect(const DetectronOutputParams& p, const std::vector<float>& regions, const std::vector<float>& deltas,
                  const std::vector<float>& scores) {
  const Buffer r = Buffer::F32(regions), d = Buffer::F32(deltas), s = Buffer::F32(scores);
  Buffer boxes(ElementType::kF32, size_t{p.max_detections} * 4), labels(ElementType::kI32, p.max_detections), found(ElementType::kF32, p.max_detections);
  RunCall({&kernel_detectron_output, &p, {&r, &d, &s}, {}, {&boxes, &labels, &found}}, Isa::kScalar);
  return {boxes.to_vector<float>(), found.to_vector<float>(), labels.to_vector<int32_t>()};
}

TEST(DetectronOutput, MovesRegions) {
  DetectronOutputParams p = Plain(1, 2, 2);
  const std::vector<float> region = {0, 0, 3, 3};
  const float log2 = std::log(2.0f);
  // Sides of 4 pixels; half of them to the right, a quarter up, twice as wide.
  const Detections moved = Detect(p, region, {0, 0, 0, 0, 0.5f, -0.25f, log2, 0}, {9, 1});
  EXPECT_EQ(moved.boxes, (std::vector<float>{0, 0, 7, 2, 0, 0, 0, 0}));
  EXPECT_EQ(moved.labels, (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(moved.scores, (std::vector<float>{1, 0}));
  p.weight_x = 0.5f;
  p.weight_y = 0.25f;
  p.max_delta_log_wh = 0;
  EXPECT_EQ(Detect(p, region, {0, 0, 0, 0, 0.5f, 0.25f, 9, 9}, {9, 1}).boxes,
            (std::vector<float>{4, 4, 7, 7, 0, 0, 0, 0}));
}

// Regions 0 and 1 are the same, 2 lies apart, 3 has no height.
const std::vector<float> kRegions = {0, 0, 3, 3, 0, 0, 3, 3, 8, 8, 9, 9, 0, 5, 9, 5};

TEST(DetectronOutput, SuppressesClassByClassAndCuts) {
  DetectronOutputParams p = Plain(4, 3, 5);
  const std::vector<float> deltas(4 * 3 * 4, 0.0f);
  const std::vector<float> scores = {9, 0.5f, 0.25f, 9, 0.5f, 0.75f, 9, 0.75f, 0, 9, 9, 9};
  Detections found = Detect(p, kRegions, deltas, scores);
  EXPECT_EQ(found.labels, (std::vector<int32_t>{1, 1, 2, 0, 0}));
  EXPECT_EQ(found.scores, (std::vector<float>{0.75f, 0.5f, 0.75f, 0, 0}));
  p.max_detections = 2;
  found = Detect(p, kRegions, deltas, scores);
  EXPECT_EQ(found.labels, (std::vector<int32_t>{2, 1})) << "region 1 comes before region 2";
  p.post_nms_count = 1;
  p.score_threshold = 0.6f;
  p.max_detections = 3;
  EXPECT_EQ(Detect(p, kRegions, deltas, scores).labels, (std::vector<int32_t>{1, 2, 0}));
}

TEST(DetectronOutput, RefusesBadCalls) {
  const Buffer regions(ElementType::kF32, 8), deltas(ElementType::kF32, 24), scores(ElementType::kF32, 6);
  const Buffer boxes(ElementType::kF32, 16), labels(ElementType::kI32, 4), found(ElementType::kF32, 4);
  const auto refuses = [](const DetectronOutputParams& p, const Buffer& r, const Buffer& d, const Buffer& s,
                          const Buffer& b, const Buffer& l, const Buffer& f) {
    return !ValidateOnly({&kernel_detectron_output, &p, {&r, &d, &s}, {}, {&b, &l, &f}}).ok();
  };
  const DetectronOutputParams good = Plain(2, 3, 4);
  ASSERT_FALSE(refuses(good, regions, deltas, scores, boxes, labels, found));
  EXPECT_TRUE(refuses(good, scores, deltas, scores, boxes, labels, found));
  EXPECT_TRUE(refuses(good, regions, scores, scores, boxes, labels, found));
  EXPECT_TRUE(refuses(good, regions, deltas, deltas, boxes, labels, found));
  EXPECT_TRUE(refuses(good, regions, deltas, scores, found, labels, found));
  EXPECT_TRUE(refuses(good, regions, deltas, scores, boxes, found, found));
  EXPECT_TRUE(refuses(good, regions, deltas, scores, boxes, labels, labels));
  EXPECT_TRUE(refuses(Plain(2, 1, 4), regions, deltas, scores, boxes, labels, found));
  EXPECT_TRUE(refuses(Plain(UINT32_MAX, UINT32_MAX, 4), regions, deltas, scores, boxes, labels, found));
}

}  // namespace
}  // namespace lowp::test
