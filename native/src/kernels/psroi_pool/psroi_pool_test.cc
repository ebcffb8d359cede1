// Tests of `psroi_pool`: bins by hand in every mode, the end of a list, calls that are refused.
#include "kernels/psroi_pool/psroi_pool.h"

#include <cmath>

#include "kernel_harness.h"

namespace lowp::test {
namespace {

PsroiPoolParams Plain(uint32_t mode, uint32_t channels, uint32_t side, uint32_t outputs, uint32_t group) {
  PsroiPoolParams p{};
  p.images = p.regions = p.bins_x = p.bins_y = p.classes = p.part = 1;
  p.mode = mode;
  p.channels = channels;
  p.height = p.width = side;
  p.outputs = outputs;
  p.group = group;
  p.scale = p.trans_scale = 1;
  return p;
}

std::vector<float> Pool(const PsroiPoolParams& p, const std::vector<float>& x, const std::vector<float>& regions,
                        const std::vector<float>& offsets = {}, std::string* fault = nullptr) {
  const Buffer in = Buffer::F32(x), rois = Buffer::F32(regions);
  const Buffer moves = offsets.empty() ? Buffer::Absent() : Buffer::F32(offsets);
  Buffer out(ElementType::kF32, size_t{p.regions} * p.outputs * p.group * p.group);
  RunCall({&kernel_psroi_pool, &p, {&in, &rois, &moves}, {}, {&out}}, Isa::kScalar, 1, nullptr, fault);
  return out.to_vector<float>();
}

// Channel c has 10 c + 1 … 10 c + 4.
const std::vector<float> kFour = {1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34};

TEST(PsroiPool, EveryBinHasAChannel) {
  EXPECT_EQ(Pool(Plain(0, 4, 2, 1, 2), kFour, {0, 0, 0, 1, 1}), (std::vector<float>{1, 12, 23, 34}));
  // A region behind the map, and one that ends the list.
  PsroiPoolParams p = Plain(0, 4, 2, 4, 1);
  p.regions = 3;
  EXPECT_EQ(Pool(p, kFour, {0, 5, 5, 6, 6, -1, 0, 0, 1, 1, 0, 0, 0, 1, 1}),
            (std::vector<float>{4, 14, 24, 34, 0, 0, 0, 0, 0, 0, 0, 0}))
      << "bins begin on the map";
  EXPECT_EQ(Pool(Plain(0, 4, 2, 4, 1), kFour, {0, NAN, 0, 1, 1}), (std::vector<float>{0, 0, 0, 0}));
}

TEST(PsroiPool, SamplesPartsInChannelsOfTheirOwn) {
  PsroiPoolParams p = Plain(1, 4, 2, 2, 1);
  p.bins_x = 2;
  // Parts are sampled at a quarter and at three quarters of the width, in the middle of the height.
  EXPECT_EQ(Pool(p, kFour, {0, 0, 0, 1, 1}), (std::vector<float>{(2.25f + 22.75f) / 2, (12.25f + 32.75f) / 2}));
  p.bins_x = 1, p.bins_y = 1, p.channels = 1, p.outputs = 1, p.group = 2;
  EXPECT_EQ(Pool(p, {1, 2, 3, 4}, {0, 0, 0, 1, 1}), (std::vector<float>{1, 2, 3, 4}));
}

TEST(PsroiPool, MovesBins) {
  const PsroiPoolParams p = Plain(2, 1, 4, 1, 1);
  const std::vector<float> x = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
  EXPECT_EQ(Pool(p, x, {0, 1, 1, 2, 2}), (std::vector<float>{0.5f}));
  EXPECT_EQ(Pool(p, x, {0, 1, 1, 2, 2}, {0.5f, 0}), (std::vector<float>{1.5f}));
  EXPECT_EQ(Pool(p, x, {0, 1, 1, 2, 2}, {9, 0}), (std::vector<float>{0}));
}

TEST(PsroiPool, ReportsAnImageThatThereIsNot) {
  std::string fault;
  EXPECT_EQ(Pool(Plain(0, 1, 1, 1, 1), {4}, {1, 0, 0, 0, 0}, {}, &fault), (std::vector<float>{0}));
  EXPECT_EQ(fault, "region 0 is in image 1, there are 1");
}

TEST(PsroiPool, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 8 * 9), rois(ElementType::kF32, 10), y(ElementType::kF32, 2 * 2 * 4);
  const Buffer offsets(ElementType::kF32, 2 * 4 * 9), absent = Buffer::Absent();
  const auto refuses = [](const PsroiPoolParams& p, const Buffer& in, const Buffer& regions, const Buffer& moves,
                          const Buffer& out) {
    return !ValidateOnly({&kernel_psroi_pool, &p, {&in, &regions, &moves}, {}, {&out}}).ok();
  };
  const auto with = [](auto change) {
    PsroiPoolParams p = Plain(2, 8, 3, 2, 2);
    p.regions = p.classes = 2;
    p.part = 3;
    change(p);
    return p;
  };
  const PsroiPoolParams good = with([](auto&) {});
  ASSERT_FALSE(refuses(good, x, rois, offsets, y));
  ASSERT_FALSE(refuses(good, x, rois, absent, y));
  EXPECT_TRUE(refuses(good, y, rois, offsets, y));
  EXPECT_TRUE(refuses(good, x, x, offsets, y));
  EXPECT_TRUE(refuses(good, x, rois, x, x));
  EXPECT_TRUE(refuses(good, x, rois, y, y));
  EXPECT_TRUE(refuses(with([](auto& p) { p.mode = 0; }), x, rois, offsets, y));
  EXPECT_TRUE(refuses(with([](auto& p) { p.mode = 3; }), x, rois, absent, y));
  EXPECT_TRUE(refuses(with([](auto& p) { p.mode = 1; }), x, rois, absent, y));
  EXPECT_TRUE(refuses(with([](auto& p) { p.classes = 3; }), x, rois, absent, y));
  EXPECT_TRUE(refuses(with([](auto& p) { p.bins_x = p.bins_y = 1025; }), x, rois, offsets, y));
  EXPECT_TRUE(refuses(with([](auto& p) { p.group = 0; }), x, rois, offsets, y));
  EXPECT_TRUE(refuses(with([](auto& p) { p.width = p.height = p.images = UINT32_MAX; }), x, rois, offsets, y));
}

}  // namespace
}  // namespace lowp::test
