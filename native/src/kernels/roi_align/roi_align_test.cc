// Tests of `roi_align`: regions by hand, every row against the definition in doubles, images that there are not, calls
// that are refused.
#include "kernels/roi_align/roi_align.h"

#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

RoiAlignParams Plain(uint32_t regions, uint32_t channels, uint32_t bins, uint32_t ratio) {
  RoiAlignParams p{};
  p.regions = regions;
  p.images = 1;
  p.channels = channels;
  p.pooled_h = p.pooled_w = bins;
  p.sampling_ratio = ratio;
  p.least = 1;
  return p;
}

struct Map {
  int32_t height, width;
  float scale;
  std::vector<float> x;
};

std::vector<float> Align(const RoiAlignParams& p, const std::vector<float>& regions, const std::vector<int64_t>& images,
                         const std::vector<Map>& maps, Isa isa = Isa::kScalar, std::string* fault = nullptr) {
  std::vector<float> scales;
  std::vector<int32_t> sizes;
  std::vector<Buffer> data;
  for (const Map& map : maps) {
    scales.push_back(map.scale);
    sizes.insert(sizes.end(), {map.height, map.width});
    data.push_back(Buffer::F32(map.x));
  }
  const Buffer rois = Buffer::F32(regions), scale = Buffer::F32(scales);
  const Buffer size = Buffer::Of<int32_t>(ElementType::kI32, sizes);
  const Buffer image = images.empty() ? Buffer::Absent() : Buffer::Of<int64_t>(ElementType::kI64, images);
  std::vector<const Buffer*> inputs = {&rois, &image, &scale, &size};
  for (const Buffer& b : data) inputs.push_back(&b);
  Buffer out(ElementType::kF32, size_t{p.regions} * p.pooled_h * p.pooled_w * p.channels);
  RunCall({&kernel_roi_align, &p, inputs, {false, false, true, true}, {&out}}, isa, 1, nullptr, fault);
  return out.to_vector<float>();
}

const Map kCount = {3, 3, 1, {0, 1, 2, 3, 4, 5, 6, 7, 8}};

TEST(RoiAlign, SamplesByHand) {
  // Samples at 0.5 and 1.5 along both axes.
  EXPECT_EQ(Align(Plain(1, 1, 1, 2), {0, 0, 2, 2}, {}, {kCount}), (std::vector<float>{4}));
  RoiAlignParams p = Plain(1, 1, 1, 2);
  p.largest = 1;
  EXPECT_EQ(Align(p, {0, 0, 2, 2}, {}, {kCount}), (std::vector<float>{6}));
  // Half of the scale; corners half a pixel before that.
  p = Plain(1, 1, 2, 1);
  p.behind = 0.5f;
  EXPECT_EQ(Align(p, {1, 1, 5, 5}, {}, {{3, 3, 0.5f, kCount.x}}), (std::vector<float>{2, 3, 5, 6}));
  // As many samples as pixels: three, then none of a region that has no size.
  p = Plain(1, 1, 1, 0);
  EXPECT_EQ(Align(p, {-0.5f, -0.5f, 2.5f, 2.5f}, {}, {kCount}), (std::vector<float>{4}));
  p.least = -INFINITY;
  EXPECT_EQ(Align(p, {1, 1, 1, 1}, {}, {kCount}), (std::vector<float>{0}));
}

TEST(RoiAlign, TakesSamplesNearTheMapAsOnItsEdgeAndNoneBeyond) {
  const RoiAlignParams p = Plain(2, 1, 1, 1);
  EXPECT_EQ(Align(p, {-1.25f, -1.25f, -0.25f, -0.25f, -2, -2, -1, -1}, {}, {{2, 2, 1, {7, 1, 1, 1}}}),
            (std::vector<float>{7, 0}));
}

TEST(RoiAlign, ChoosesAMapByArea) {
  RoiAlignParams p = Plain(4, 1, 1, 1);
  p.by_area = p.divides = 1;
  std::vector<Map> maps;
  for (int level = 0; level < 4; level++) maps.push_back({32, 32, std::ldexp(4.0f, level), std::vector<float>(32 * 32, level + 1.0f)});
  EXPECT_EQ(Align(p, {0, 0, 4, 4, 0, 0, 112, 112, 0, 0, 900, 900, 3, 3, 3, 9}, {}, maps),
            (std::vector<float>{1, 2, 4, 0}))
      << "the last one has no area";
}

TEST(RoiAlign, ReportsAnImageThatThereIsNot) {
  std::string fault;
  EXPECT_EQ(Align(Plain(2, 1, 1, 1), {0, 0, 1, 1, 0, 0, 1, 1}, {0, 1}, {{1, 1, 1, {3}}}, Isa::kScalar, &fault),
            (std::vector<float>{3, 0}));
  EXPECT_EQ(fault, "region 1 is in image 1, there are 1");
}

// Corners that have no end or are none, and regions far larger than the map, end soon and with numbers.
TEST(RoiAlign, EndsForRegionsWithoutBounds) {
  const RoiAlignParams p = Plain(4, 1, 2, 0);
  const std::vector<float> y = Align(
      p, {0, 0, INFINITY, INFINITY, NAN, NAN, 1, 1, -1e30f, -1e30f, 3e30f, 3e30f, 0, 0, 1e6f, 1e6f}, {}, {kCount});
  for (size_t i = 0; i < 12; i++) EXPECT_EQ(y[i], 0) << i;
  EXPECT_GT(y[12], 0);
  const std::vector<float> none = Align(Plain(1, 1, 2, 1024), {NAN, NAN, NAN, NAN}, {}, {kCount});
  for (float v : none) EXPECT_EQ(v, 0);
}

// The mean in doubles, sample by sample.
double Exact(const RoiAlignParams& p, const float* r, const Map& m, size_t bin_y, size_t bin_x, size_t c, double* most) {
  const auto axis = [&](float from, float to, uint32_t bins, size_t bin, std::vector<double>* at) {
    const double start = double{from} * m.scale, size = std::max(double{to} * m.scale - start, double{p.least}) / bins;
    const double samples = p.sampling_ratio ? p.sampling_ratio : std::ceil(size);
    for (double i = 0; i < samples; i++)
      at->push_back(start + static_cast<double>(bin) * size + size / samples * (i + 0.5));
  };
  std::vector<double> ys, xs;
  axis(r[1], r[3], p.pooled_h, bin_y, &ys);
  axis(r[0], r[2], p.pooled_w, bin_x, &xs);
  const auto pixel = [&](double y, double x) {
    return m.x[(static_cast<size_t>(y) * m.width + static_cast<size_t>(x)) * p.channels + c];
  };
  double sum = 0;
  *most = 0;
  for (double y : ys)
    for (double x : xs) {
      if (y < -1 || y > m.height || x < -1 || x > m.width) continue;
      const double cy = std::clamp(y, 0.0, m.height - 1.0), cx = std::clamp(x, 0.0, m.width - 1.0);
      const double top = std::floor(cy), left = std::floor(cx);
      const double bottom = std::min(top + 1, m.height - 1.0), right = std::min(left + 1, m.width - 1.0);
      const double v = (1 - cy + top) * ((1 - cx + left) * pixel(top, left) + (cx - left) * pixel(top, right)) +
                       (cy - top) * ((1 - cx + left) * pixel(bottom, left) + (cx - left) * pixel(bottom, right));
      sum += v;
      *most = std::max(*most, v);
    }
  return sum / (static_cast<double>(ys.size()) * static_cast<double>(xs.size()));
}

// Channels that do not fill a block, and more samples than a row gets at a time.
TEST(RoiAlign, EveryRowGivesTheMeanAndTheLargest) {
  for (const uint32_t channels : {1u, 7u, 16u, 67u, 83u})
    for (const uint32_t ratio : {0u, 2u, 11u}) {
      const Map map = {9, 12, 0.5f, RandomFloats(9 * 12 * channels, channels, -1, 1)};
      std::vector<float> regions = RandomFloats(5 * 4, ratio + 1, -4, 20);
      for (size_t r = 0; r < 5; r++)
        for (size_t i = 0; i < 2; i++) regions[4 * r + 2 + i] = regions[4 * r + i] + std::fabs(regions[4 * r + 2 + i]);
      for (const uint32_t largest : {0u, 1u}) {
        RoiAlignParams p = Plain(5, channels, 3, ratio);
        p.largest = largest;
        const std::vector<float> scalar = Align(p, regions, {}, {map});
        for (size_t i = 0; i < scalar.size(); i++) {
          const size_t c = i % channels, bin = i / channels % 9;
          double most = 0;
          const double mean = Exact(p, &regions[4 * (i / channels / 9)], map, bin / 3, bin % 3, c, &most);
          ASSERT_NEAR(scalar[i], largest ? most : mean, 1e-6) << "weights and sums of up to 500 products in floats";
        }
        for (const Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats(scalar, Align(p, regions, {}, {map}, isa)));
      }
    }
}

TEST(RoiAlign, RefusesBadCalls) {
  const Buffer regions(ElementType::kF32, 8), images(ElementType::kI32, 2), scale = Buffer::F32({1});
  const Buffer size = Buffer::Of<int32_t>(ElementType::kI32, {2, 3}), map(ElementType::kF32, 6 * 4);
  const Buffer out(ElementType::kF32, 2 * 4 * 4);
  const auto refuses = [](const RoiAlignParams& p, std::vector<const Buffer*> in, const Buffer& y, bool constant = true) {
    return !ValidateOnly({&kernel_roi_align, &p, std::move(in), {false, false, constant, constant}, {&y}}).ok();
  };
  const RoiAlignParams good = Plain(2, 4, 2, 1);
  ASSERT_FALSE(refuses(good, {&regions, &images, &scale, &size, &map}, out));
  EXPECT_TRUE(refuses(good, {&regions, &images, &scale, &size, &map}, out, false));
  EXPECT_TRUE(refuses(Plain(2, 4, 2, 1025), {&regions, &images, &scale, &size, &map}, out));
  EXPECT_TRUE(refuses(good, {&images, &images, &scale, &size, &map}, out));
  EXPECT_TRUE(refuses(good, {&regions, &regions, &scale, &size, &map}, out));
  EXPECT_TRUE(refuses(good, {&regions, &images, &size, &size, &map}, out));
  EXPECT_TRUE(refuses(good, {&regions, &images, &scale, &scale, &map}, out));
  EXPECT_TRUE(refuses(good, {&regions, &images, &scale, &size, &out}, out));
  EXPECT_TRUE(refuses(good, {&regions, &images, &scale, &size}, out));
  EXPECT_TRUE(refuses(good, {&regions, &images, &scale, &size, &map, &map}, out));
  EXPECT_TRUE(refuses(good, {&regions, &images, &scale, &size, &map}, map));
  const Buffer none = Buffer::Of<int32_t>(ElementType::kI32, {0, 3});
  EXPECT_TRUE(refuses(good, {&regions, &images, &scale, &none, &map}, out));
  RoiAlignParams bad = good;
  bad.largest = 2;
  EXPECT_TRUE(refuses(bad, {&regions, &images, &scale, &size, &map}, out));
  bad = good;
  bad.pooled_h = 0;
  EXPECT_TRUE(refuses(bad, {&regions, &images, &scale, &size, &map}, out));
  bad = good;
  bad.channels = bad.images = UINT32_MAX;
  EXPECT_TRUE(refuses(bad, {&regions, &images, &scale, &size, &map}, out));
}

}  // namespace
}  // namespace lowp::test
