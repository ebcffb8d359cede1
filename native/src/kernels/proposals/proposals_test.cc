// Tests of `proposals`: moved anchors by hand, ranking and suppression, how results are laid out, calls that are refused.
#include "kernels/proposals/proposals.h"

#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

// One anchor for each of `columns` cells in a row, everything that fits is kept, nothing is clipped.
ProposalsParams Plain(uint32_t columns, uint32_t most) {
  ProposalsParams p{};
  p.images = p.anchors = p.rows = p.score_planes = 1;
  p.columns = columns;
  p.size_count = 2;
  p.coordinate_scale = p.size_scale = 1;
  p.max_delta_log_wh = INFINITY;
  p.pre_nms_top_k = 100;
  p.post_nms_top_k = most;
  p.nms_threshold = 0.5f;
  return p;
}

struct Found {
  std::vector<float> regions, scores;
  std::vector<int64_t> counts;
  int64_t total;
};

Found Propose(const ProposalsParams& p, const std::vector<float>& scores, const std::vector<float>& deltas,
              const std::vector<float>& sizes, const std::vector<float>& boxes) {
  const Buffer s = Buffer::F32(scores), d = Buffer::F32(deltas), i = Buffer::F32(sizes), b = Buffer::F32(boxes);
  const size_t rows = size_t{p.images} * p.post_nms_top_k;
  Buffer regions(ElementType::kF32, rows * (p.with_image ? 5 : 4)), found(ElementType::kF32, rows);
  Buffer counts(ElementType::kI64, p.images), total(ElementType::kI32, 1);
  RunCall({&kernel_proposals, &p, {&s, &d, &i, &b}, {}, {&regions, &found, &counts, &total}}, Isa::kScalar);
  return {regions.to_vector<float>(), found.to_vector<float>(), counts.to_vector<int64_t>(), total.as<int32_t>()[0]};
}

const std::vector<float> kSize = {20, 10};  // height and width

TEST(Proposals, MovesAnchors) {
  const std::vector<float> deltas = {0.5f, 0.25f, std::log(2.0f), 0};
  ProposalsParams p = Plain(1, 1);
  const std::vector<float> moved = Propose(p, {3}, deltas, kSize, {0, 0, 4, 4}).regions, expected = {0, 1, 8, 5};
  for (size_t i = 0; i < 4; i++) EXPECT_NEAR(moved[i], expected[i], 1e-6) << "the logarithm is rounded";
  p.clip_before = 1;
  EXPECT_EQ(Propose(p, {3}, deltas, {4, 6}, {0, 0, 4, 4}).regions, (std::vector<float>{0, 1, 6, 4}));
  p.normalized = 1;
  EXPECT_EQ(Propose(p, {3}, deltas, {4, 8}, {0, 0, 4, 4}).regions, (std::vector<float>{0, 0.25f, 1, 1}));
  p = Plain(1, 1);
  p.extent = p.back = 1;
  p.coordinate_scale = 0.5f;
  p.max_delta_log_wh = 0;
  EXPECT_EQ(Propose(p, {3}, deltas, kSize, {0, 0, 3, 3}).regions, (std::vector<float>{4, 2, 7, 5}));
}

TEST(Proposals, ShiftsAnchorsByCell) {
  ProposalsParams p = Plain(2, 4);
  p.rows = 2;
  p.step = 3;
  const std::vector<float> deltas(16, 0.0f);
  EXPECT_EQ(Propose(p, {4, 3, 2, 1}, deltas, kSize, {0, 0, 1, 1}).regions,
            (std::vector<float>{0, 0, 1, 1, 3, 0, 4, 1, 0, 3, 1, 4, 3, 3, 4, 4}));
  p.turned = 1;
  EXPECT_EQ(Propose(p, {4, 3, 2, 1}, deltas, kSize, {0, 0, 1, 1}).regions,
            (std::vector<float>{0, 0, 1, 1, 0, 3, 1, 4, 3, 0, 4, 1, 3, 3, 4, 4}));
}

// Anchors 0 and 1 are the same; of equal scores the first one is taken.
const std::vector<float> kBoxes = {0, 0, 4, 4, 0, 0, 4, 4, 5, 5, 6, 6};

TEST(Proposals, RanksAndSuppresses) {
  ProposalsParams p = Plain(3, 3);
  const std::vector<float> deltas(12, 0.0f);
  Found found = Propose(p, {2, 2, 3}, deltas, kSize, kBoxes);
  EXPECT_EQ(found.regions, (std::vector<float>{5, 5, 6, 6, 0, 0, 4, 4, 0, 0, 0, 0}));
  EXPECT_EQ(found.scores, (std::vector<float>{3, 2, 0}));
  EXPECT_EQ(found.counts, std::vector<int64_t>{2});
  EXPECT_EQ(found.total, 2);
  p.pre_nms_top_k = 1;
  EXPECT_EQ(Propose(p, {2, 2, 3}, deltas, kSize, kBoxes).total, 1);
  p.pre_nms_top_k = 100;
  p.with_image = 1;
  EXPECT_EQ(Propose(p, {2, 2, 3}, deltas, kSize, kBoxes).regions,
            (std::vector<float>{0, 5, 5, 6, 6, 0, 0, 0, 4, 4, -1, 0, 0, 0, 0}));
  // Small ones have the score 0, or are left out.
  p.with_image = 0;
  p.least_size = 2;
  EXPECT_EQ(Propose(p, {2, 2, 3}, deltas, kSize, kBoxes).scores, (std::vector<float>{2, 0, 0}));
  EXPECT_EQ(Propose(p, {2, 2, 3}, deltas, kSize, kBoxes).total, 2);
  p.drops_small = 1;
  EXPECT_EQ(Propose(p, {2, 2, 3}, deltas, kSize, kBoxes).total, 1);
  p.scaled = 1;
  p.size_count = 3;
  EXPECT_EQ(Propose(p, {2, 2, 3}, deltas, {20, 10, 0.5f}, kBoxes).total, 2);
}

TEST(Proposals, PacksImages) {
  ProposalsParams p = Plain(3, 2);
  p.images = 2;
  p.packed = 1;
  p.size_stride = 2;
  p.clip_before = 1;
  const std::vector<float> deltas(24, 0.0f);
  const Found found = Propose(p, {3, 2, -1, 1, 1, 2}, deltas, {20, 10, 2, 2}, kBoxes);
  EXPECT_EQ(found.counts, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(found.regions, (std::vector<float>{0, 0, 4, 4, 5, 5, 6, 6, 2, 2, 2, 2, 0, 0, 2, 2}));
  p.packed = 0;
  p.pre_nms_top_k = 1;
  EXPECT_EQ(Propose(p, {3, 2, -1, 1, 1, 2}, deltas, {20, 10, 2, 2}, kBoxes).regions,
            (std::vector<float>{0, 0, 4, 4, 0, 0, 0, 0, 2, 2, 2, 2, 0, 0, 0, 0}));
}

TEST(Proposals, RefusesBadCalls) {
  const Buffer scores(ElementType::kF32, 12), deltas(ElementType::kF32, 48), sizes(ElementType::kF32, 3);
  const Buffer boxes(ElementType::kF32, 8), regions(ElementType::kF32, 20), found(ElementType::kF32, 5);
  const Buffer counts(ElementType::kI64, 1);
  const auto refuses = [&](const ProposalsParams& p, const Buffer& s, const Buffer& d, const Buffer& i, const Buffer& b,
                           const Buffer& y, const Buffer& f, const Buffer& c) {
    return !ValidateOnly({&kernel_proposals, &p, {&s, &d, &i, &b}, {}, {&y, &f, &c}}).ok();
  };
  const auto with = [](auto change) {
    ProposalsParams p = Plain(3, 5);
    p.rows = p.anchors = p.score_planes = 2;
    p.step = 1;
    p.size_count = 3;
    change(p);
    return p;
  };
  const ProposalsParams good = with([](auto&) {});
  ASSERT_FALSE(refuses(good, scores, deltas, sizes, boxes, regions, found, counts));
  EXPECT_TRUE(refuses(good, boxes, deltas, sizes, boxes, regions, found, counts));
  EXPECT_TRUE(refuses(good, scores, scores, sizes, boxes, regions, found, counts));
  EXPECT_TRUE(refuses(good, scores, deltas, Buffer(ElementType::kF32, 2), boxes, regions, found, counts));
  EXPECT_TRUE(refuses(good, scores, deltas, sizes, deltas, regions, found, counts));
  EXPECT_TRUE(refuses(good, scores, deltas, sizes, boxes, found, found, counts));
  EXPECT_TRUE(refuses(good, scores, deltas, sizes, boxes, regions, regions, counts));
  EXPECT_TRUE(refuses(good, scores, deltas, sizes, boxes, regions, found, sizes));
  EXPECT_TRUE(refuses(with([](auto& p) { p.step = 0; }), scores, deltas, sizes, boxes, regions, found, counts));
  EXPECT_TRUE(refuses(with([](auto& p) { p.first_score = 1; }), scores, deltas, sizes, boxes, regions, found, counts));
  EXPECT_TRUE(refuses(with([](auto& p) { p.with_image = 1; }), scores, deltas, sizes, boxes, regions, found, counts));
  EXPECT_TRUE(refuses(with([](auto& p) { p.packed = 2; }), scores, deltas, sizes, boxes, regions, found, counts));
  EXPECT_TRUE(refuses(with([](auto& p) { p.scaled = 1, p.size_count = 5; }), scores, deltas, sizes, boxes, regions, found,
                      counts));
  EXPECT_TRUE(refuses(with([](auto& p) { p.rows = p.columns = UINT32_MAX; }), scores, deltas, sizes, boxes, regions,
                      found, counts));
}

}  // namespace
}  // namespace lowp::test
