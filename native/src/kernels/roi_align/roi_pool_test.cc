// Tests of `roi_pool`: bins and samples by hand, the end of a list, every row against scalar, calls that are refused.
#include "kernels/roi_align/roi_pool.h"

#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

RoiPoolParams Plain(uint32_t side, uint32_t channels, uint32_t regions, uint32_t bins, uint32_t bilinear) {
  RoiPoolParams p{};
  p.images = 1;
  p.height = p.width = side;
  p.channels = channels;
  p.regions = regions;
  p.pooled_h = p.pooled_w = bins;
  p.bilinear = bilinear;
  p.scale = 1;
  return p;
}

std::vector<float> Pool(const RoiPoolParams& p, const std::vector<float>& x, const std::vector<float>& regions,
                        Isa isa = Isa::kScalar, std::string* fault = nullptr) {
  const Buffer in = Buffer::F32(x), rois = Buffer::F32(regions);
  Buffer out(ElementType::kF32, size_t{p.regions} * p.pooled_h * p.pooled_w * p.channels);
  RunCall({&kernel_roi_pool, &p, {&in, &rois}, {}, {&out}}, isa, 1, nullptr, fault);
  return out.to_vector<float>();
}

const std::vector<float> kCount = {1, 2, 3, 4, 5, 6, 7, 8, 9};

TEST(RoiPool, TakesTheLargestOfOverlappingBins) {
  EXPECT_EQ(Pool(Plain(3, 1, 1, 2, 0), kCount, {0, 0, 0, 2, 2}), (std::vector<float>{5, 6, 8, 9}));
  // Rounded corners, 1.5 to 2 and 0.25 to 0; a region behind the map has no elements; -1 ends the list.
  EXPECT_EQ(Pool(Plain(3, 1, 4, 1, 0), kCount, {0.5f, 0.25f, 0.25f, 1.5f, 0, 0, 5, 5, 6, 6, -1, 0, 0, 2, 2, 0, 0, 0, 2, 2}),
            (std::vector<float>{3, 0, 0, 0}));
  RoiPoolParams half = Plain(3, 1, 1, 1, 0);
  half.scale = 0.5f;
  EXPECT_EQ(Pool(half, kCount, {0, 0, 0, 2, 2}), (std::vector<float>{5}));
  EXPECT_EQ(Pool(Plain(3, 1, 2, 1, 0), kCount, {0, NAN, 0, 2, 2, 0, 0, 0, INFINITY, INFINITY}),
            (std::vector<float>{0, 0}));
  EXPECT_EQ(Pool(Plain(2, 1, 1, 1, 0), {NAN, -3, -2, NAN}, {0, 0, 0, 1, 1}), (std::vector<float>{-2}));
}

TEST(RoiPool, SamplesFromCornerToCorner) {
  EXPECT_EQ(Pool(Plain(3, 1, 1, 2, 1), kCount, {0, 0, 0, 1, 1}), (std::vector<float>{1, 3, 7, 9}));
  EXPECT_EQ(Pool(Plain(3, 1, 1, 1, 1), kCount, {0, 0.25f, 0.25f, 0.5f, 0.5f}), (std::vector<float>{4}));
  EXPECT_EQ(Pool(Plain(3, 1, 1, 2, 1), kCount, {0, -0.5f, 0, 1, 1}), (std::vector<float>{0, 3, 0, 9}));
}

TEST(RoiPool, ReportsAnImageThatThereIsNot) {
  std::string fault;
  EXPECT_EQ(Pool(Plain(1, 1, 3, 1, 0), {4}, {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Isa::kScalar, &fault),
            (std::vector<float>{4, 0, 0}));
  EXPECT_EQ(fault, "region 1 is in image 1, there are 1");
  Pool(Plain(1, 1, 1, 1, 0), {4}, {NAN, 0, 0, 0, 0}, Isa::kScalar, &fault);
  EXPECT_EQ(fault, "region 0 is in image NaN, there are 1");
}

TEST(RoiPool, EveryRowGivesTheBitsOfScalar) {
  for (const uint32_t channels : {1u, 9u, 32u, 77u})
    for (const uint32_t bilinear : {0u, 1u}) {
      const std::vector<float> x = RandomFloats(2 * 11 * 11 * channels, channels, -1, 1, true);
      std::vector<float> regions = RandomFloats(6 * 5, channels + bilinear, -2, 13);
      for (size_t i = 0; i < regions.size(); i++)
        regions[i] = i % 5 == 0 ? static_cast<float>(i / 5 % 2) : bilinear ? regions[i] / 12 : regions[i];
      RoiPoolParams p = Plain(11, channels, 6, 3, bilinear);
      p.images = 2;
      const std::vector<float> scalar = Pool(p, x, regions);
      for (const Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats(scalar, Pool(p, x, regions, isa)));
    }
}

TEST(RoiPool, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 9 * 4), rois(ElementType::kF32, 10), y(ElementType::kF32, 2 * 4 * 4);
  const auto refuses = [](const RoiPoolParams& p, const Buffer& in, const Buffer& regions, const Buffer& out) {
    return !ValidateOnly({&kernel_roi_pool, &p, {&in, &regions}, {}, {&out}}).ok();
  };
  const RoiPoolParams good = Plain(3, 4, 2, 2, 0);
  ASSERT_FALSE(refuses(good, x, rois, y));
  EXPECT_TRUE(refuses(good, rois, rois, y));
  EXPECT_TRUE(refuses(good, x, x, y));
  EXPECT_TRUE(refuses(good, x, rois, x));
  EXPECT_TRUE(refuses(Plain(3, 4, 2, 2, 2), x, rois, y));
  EXPECT_TRUE(refuses(Plain(0, 4, 2, 2, 0), x, rois, y));
  EXPECT_TRUE(refuses(Plain(UINT32_MAX, UINT32_MAX, 2, 2, 0), x, rois, y));
}

}  // namespace
}  // namespace lowp::test
