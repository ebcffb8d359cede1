// Tests of `detection_output`: codings by hand, ranking, suppression and cuts, both ways to choose classes, calls that
// are refused.
#include "kernels/detection_output/detection_output.h"

#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

// Corner shifts of unit variances; two classes of which 0 is the background; everything that has a score is kept.
DetectionOutputParams Plain(uint32_t priors, uint32_t classes) {
  DetectionOutputParams p{};
  p.images = 1;
  p.priors = priors;
  p.classes = classes;
  p.locations = 1;
  p.normalized = 1;
  p.variance_encoded = 1;
  p.width = p.height = 1;
  p.top_k = p.keep_top_k = -1;
  p.nms_threshold = 0.5f;
  return p;
}

struct Inputs {
  std::vector<float> locations, confidences, defaults;
  std::vector<float> objects, moved;  // absent when empty
};

std::vector<float> Detect(const DetectionOutputParams& p, const Inputs& in, size_t rows) {
  const Buffer locations = Buffer::F32(in.locations), confidences = Buffer::F32(in.confidences);
  const Buffer defaults = Buffer::F32(in.defaults);
  const Buffer objects = in.objects.empty() ? Buffer::Absent() : Buffer::F32(in.objects);
  const Buffer moved = in.moved.empty() ? Buffer::Absent() : Buffer::F32(in.moved);
  Buffer out(ElementType::kF32, rows * 7);
  RunCall({&kernel_detection_output, &p, {&locations, &confidences, &defaults, &objects, &moved}, {}, {&out}},
          Isa::kScalar);
  return out.to_vector<float>();
}

// Four squares in a row, of which the second one overlaps the first one by a third.
const std::vector<float> kSquares = {0, 0, 4, 4, 2, 0, 6, 4, 8, 0, 12, 4, 12, 0, 16, 4};

std::vector<float> Row(float label, float score, size_t square) {
  std::vector<float> row = {0, label, score};
  row.insert(row.end(), kSquares.begin() + 4 * square, kSquares.begin() + 4 * square + 4);
  return row;
}

std::vector<float> Rows(const std::vector<std::vector<float>>& rows, size_t padded) {
  std::vector<float> out;
  for (const auto& row : rows) out.insert(out.end(), row.begin(), row.end());
  if (out.size() < padded * 7) out.push_back(-1);
  out.resize(padded * 7);
  return out;
}

TEST(DetectionOutput, RanksAndSuppresses) {
  DetectionOutputParams p = Plain(4, 2);
  const Inputs in{std::vector<float>(16, 0.0f), {0, 0.5f, 0, 0.75f, 0, 0.5f, 0, 0}, kSquares, {}, {}};
  EXPECT_EQ(Detect(p, in, 8), Rows({Row(1, 0.75f, 1), Row(1, 0.5f, 0), Row(1, 0.5f, 2)}, 8));
  p.nms_threshold = 0.25f;
  EXPECT_EQ(Detect(p, in, 8), Rows({Row(1, 0.75f, 1), Row(1, 0.5f, 2)}, 8));
  p.top_k = 2;
  EXPECT_EQ(Detect(p, in, 8), Rows({Row(1, 0.75f, 1)}, 8));
  p.nms_threshold = -1;
  p.top_k = -1;
  EXPECT_EQ(Detect(p, in, 8), Rows({Row(1, 0.75f, 1)}, 8));
  p.confidence_threshold = 0.75f;
  EXPECT_EQ(Detect(p, in, 8), Rows({}, 8));
}

// Of equal scores the lower prior stays, then the lower label; what stays is listed by label.
TEST(DetectionOutput, KeepsTheStrongestOfAllClasses) {
  DetectionOutputParams p = Plain(2, 3);
  p.keep_top_k = 3;
  const std::vector<float> squares(kSquares.begin(), kSquares.begin() + 8);
  const Inputs in{std::vector<float>(8, 0.0f), {9, 0.5f, 0.5f, 9, 0.5f, 0.75f}, squares, {}, {}};
  EXPECT_EQ(Detect(p, in, 3), Rows({Row(1, 0.5f, 0), Row(2, 0.75f, 1), Row(2, 0.5f, 0)}, 3));
}

TEST(DetectionOutput, ChoosesTheBestClassOfEveryBox) {
  DetectionOutputParams p = Plain(4, 3);
  p.by_box = 1;
  p.confidence_threshold = 0.5f;
  const Inputs in{std::vector<float>(16, 0.0f),
                  {9, 0.5f, 0.25f, 9, 0.5f, 0.75f, 9, 0.25f, 0.25f, 9, 0.5f, 0.5f},
                  kSquares,
                  {},
                  {}};
  EXPECT_EQ(Detect(p, in, 4), Rows({Row(0, 0.5f, 0), Row(0, 0.5f, 3), Row(1, 0.75f, 1)}, 4));
  p.top_k = 2;
  EXPECT_EQ(Detect(p, in, 4), Rows({Row(0, 0.5f, 0), Row(1, 0.75f, 1)}, 4));
}

TEST(DetectionOutput, DecodesCentersWithVariances) {
  DetectionOutputParams p = Plain(1, 2);
  p.variance_encoded = 0;
  p.center_size = 1;
  const float log2 = std::log(2.0f);
  const Inputs in{{1, 2, log2, 0}, {0, 1}, {0.25f, 0.25f, 0.75f, 0.5f, 0.5f, 0.25f, 1, 1}, {}, {}};
  // Size 0.5 x 0.25 around (0.5, 0.375): the center moves by 1 * 0.5 * 0.5 and 2 * 0.25 * 0.25, the width doubles.
  const std::vector<float> row = {0, 1, 1, 0.25f, 0.375f, 1.25f, 0.625f};
  EXPECT_EQ(Detect(p, in, 2), Rows({row}, 2));
  p.clip_after = 1;
  EXPECT_EQ(Detect(p, in, 2), Rows({{0, 1, 1, 0.25f, 0.375f, 1, 0.625f}}, 2));
}

// Five numbers for each default box, in pixels of an image of 4 times 2; two images with boxes of their own.
TEST(DetectionOutput, ReadsPixelsAndImages) {
  DetectionOutputParams p = Plain(1, 2);
  p.images = 2;
  p.normalized = 0;
  p.width = 4;
  p.height = 2;
  p.default_stride = 5;
  const Inputs in{{0, 0, 0, 0, 0.5f, 0, 0, 0}, {0, 1, 0, 2}, {9, 0, 0, 4, 2, 9, 1, 1, 3, 2}, {}, {}};
  EXPECT_EQ(Detect(p, in, 4), Rows({{0, 1, 1, 0, 0, 1, 1}, {1, 1, 2, 0.75f, 0.5f, 0.75f, 1}}, 4));
}

TEST(DetectionOutput, TakesAFirstStage) {
  DetectionOutputParams p = Plain(2, 2);
  p.objectness_score = 0.5f;
  Inputs in{{1, 0, 1, 0, 0, 0, 0, 0},
            {0, 1, 0, 2},
            {0, 0, 1, 1, 0, 0, 1, 1},
            {0, 0.5f, 0, 0.25f},
            {0, 2, 0, 2, 0, 0, 0, 0}};
  EXPECT_EQ(Detect(p, in, 4), Rows({{0, 1, 1, 1, 2, 2, 3}}, 4));
  p.background = -1;
  in.objects = {0, 0, 0, 0};
  p.confidence_threshold = -1;
  EXPECT_EQ(Detect(p, in, 4)[2], 0) << "the background is no class: nothing has a score";
}

// Groups of labels and of priors that do not fill a tile: each class by itself gives the rows that all give together.
TEST(DetectionOutput, AgreesWithOneClassAtATime) {
  constexpr uint32_t kPriors = 700, kClasses = 21;
  const std::vector<float> locations = RandomFloats(kPriors * 4, 1, -1, 1);
  const std::vector<float> scores = RandomFloats(kPriors * kClasses, 2, 0, 1);
  std::vector<float> defaults = RandomFloats(kPriors * 4, 3, 0, 1);
  for (size_t i = 0; i < kPriors; i++)
    for (size_t axis = 0; axis < 2; axis++) defaults[4 * i + 2 + axis] = defaults[4 * i + axis] + 0.25f;
  DetectionOutputParams p = Plain(kPriors, kClasses);
  p.center_size = 1;
  p.top_k = 50;
  p.confidence_threshold = 0.5f;
  const std::vector<float> all = Detect(p, {locations, scores, defaults, {}, {}}, kClasses * 50);
  size_t row = 0;
  for (uint32_t label = 1; label < kClasses; label++) {
    std::vector<float> own(kPriors * 2);
    for (size_t i = 0; i < kPriors; i++) own[2 * i + 1] = scores[i * kClasses + label];
    DetectionOutputParams one = p;
    one.classes = 2;
    const std::vector<float> rows = Detect(one, {locations, own, defaults, {}, {}}, 100);
    for (size_t i = 0; rows[7 * i] == 0; i++, row++) {
      ASSERT_EQ(all[7 * row + 1], label);
      for (size_t c = 2; c < 7; c++) ASSERT_EQ(all[7 * row + c], rows[7 * i + c]);
    }
  }
  EXPECT_EQ(all[7 * row], -1);
}

TEST(DetectionOutput, RefusesBadCalls) {
  const Buffer locations(ElementType::kF32, 24), scores(ElementType::kF32, 18), defaults(ElementType::kF32, 24);
  const Buffer absent = Buffer::Absent(), out(ElementType::kF32, 18 * 7);
  const auto refuses = [&](const DetectionOutputParams& p, const Buffer& l, const Buffer& s, const Buffer& d,
                           const Buffer& o, const Buffer& m, const Buffer& y) {
    return !ValidateOnly({&kernel_detection_output, &p, {&l, &s, &d, &o, &m}, {}, {&y}}).ok();
  };
  const auto with = [](auto change) {
    DetectionOutputParams p = Plain(6, 3);
    change(p);
    return p;
  };
  const DetectionOutputParams good = Plain(6, 3);
  ASSERT_FALSE(refuses(good, locations, scores, defaults, absent, absent, out));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kF32, 23), scores, defaults, absent, absent, out));
  EXPECT_TRUE(refuses(good, locations, Buffer(ElementType::kF32, 12), defaults, absent, absent, out));
  EXPECT_TRUE(refuses(good, locations, scores, Buffer(ElementType::kF32, 23), absent, absent, out));
  EXPECT_TRUE(refuses(good, locations, scores, defaults, Buffer(ElementType::kF32, 11), absent, out));
  EXPECT_TRUE(refuses(good, locations, scores, defaults, absent, Buffer(ElementType::kI32, 24), out));
  EXPECT_TRUE(refuses(good, locations, scores, defaults, absent, absent, Buffer(ElementType::kF32, 17 * 7)));
  EXPECT_TRUE(refuses(good, locations, scores, defaults, absent, absent, Buffer(ElementType::kF32, 18 * 7 + 1)));
  EXPECT_TRUE(refuses(with([](auto& p) { p.variance_encoded = 0; }), locations, scores, defaults, absent, absent, out));
  EXPECT_TRUE(refuses(with([](auto& p) { p.locations = 2; }), locations, scores, defaults, absent, absent, out));
  EXPECT_TRUE(refuses(with([](auto& p) { p.by_box = 2; }), locations, scores, defaults, absent, absent, out));
  EXPECT_TRUE(refuses(with([](auto& p) { p.priors = 0; }), locations, scores, defaults, absent, absent, out));
  EXPECT_TRUE(refuses(with([](auto& p) { p.images = p.priors = p.classes = UINT32_MAX; }), locations, scores, defaults,
                      absent, absent, out));
  const DetectionOutputParams apart = with([](auto& p) {
    p.images = 2;
    p.priors = 3;
    p.default_stride = 13;
  });
  EXPECT_TRUE(refuses(apart, locations, scores, defaults, absent, absent, out));
}

}  // namespace
}  // namespace lowp::test
