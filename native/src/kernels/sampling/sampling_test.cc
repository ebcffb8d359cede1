// Tests of `grid_sample` and `deformable_columns`: by hand, coordinates that are no numbers, every row, bad calls.
#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"
#include "kernels/sampling/deformable_columns.h"
#include "kernels/sampling/grid_sample.h"

namespace lowp::test {
namespace {

using Floats = std::vector<float>;

Floats Sample(const GridSampleParams& p, const Floats& x, const Floats& grid, Isa isa = Isa::kScalar) {
  const Buffer in = Buffer::F32(x), at = Buffer::F32(grid);
  Buffer y(ElementType::kF32, size_t{p.batch} * p.places * p.channels);
  RunCall({&kernel_grid_sample, &p, {&in, &at}, {}, {&y}}, isa);
  return y.to_vector<float>();
}

// A line of four elements that are squares.
Floats OfLine(uint32_t mode, uint32_t padding, uint32_t align, const Floats& grid) {
  const GridSampleParams p{1, 1, 1, 4, 1, static_cast<uint32_t>(grid.size()), 1, mode, padding, align};
  return Sample(p, {0, 1, 4, 9}, grid);
}

TEST(GridSample, ReadsBetweenElements) {
  // Aligned: -1 is element 0, 1 is element 3; else they are half an element further out.
  EXPECT_EQ(OfLine(0, 0, 1, {-1, 0, 1}), (Floats{0, 2.5f, 9}));
  EXPECT_EQ(OfLine(0, 0, 0, {-1, 0, 0.5f, 1}), (Floats{0, 2.5f, 6.5f, 4.5f}));
  EXPECT_EQ(OfLine(0, 1, 0, {-1, 1, 7}), (Floats{0, 9, 9}));
  EXPECT_EQ(OfLine(0, 2, 1, {2, -2}), (Floats{2.5f, 2.5f}));
  EXPECT_EQ(OfLine(0, 2, 0, {1.5f, -1.5f}), (Floats{6.5f, 0.5f}));
}

TEST(GridSample, TakesTheNearest) {
  // Positions 1.5, 0.5 and -0.5: ties to the even one.
  EXPECT_EQ(OfLine(2, 0, 0, {0, -0.5f, -1, 1.1f}), (Floats{4, 0, 0, 0}));
  EXPECT_EQ(OfLine(2, 1, 0, {9, -9}), (Floats{9, 0}));
}

TEST(GridSample, CubicsPassThroughElements) {
  EXPECT_EQ(OfLine(1, 1, 1, {-1, 1}), (Floats{0, 9}));
  // Half way between 1 and 4: -0.09375 (0 + 9) + 0.59375 (1 + 4).
  EXPECT_EQ(OfLine(1, 0, 1, {0}), (Floats{2.125f}));
}

TEST(GridSample, CoordinatesThatAreNoNumbers) {
  for (const uint32_t mode : {0u, 1u, 2u})
    for (const float v : {NAN, INFINITY, -INFINITY}) {
      EXPECT_EQ(OfLine(mode, 0, 0, {v}), (Floats{0})) << mode;
      EXPECT_TRUE(std::isnan(OfLine(mode, 2, 0, {v})[0])) << mode;
    }
  for (const uint32_t mode : {0u, 1u, 2u}) EXPECT_TRUE(std::isnan(OfLine(mode, 1, 0, {NAN})[0])) << mode;
  EXPECT_EQ(OfLine(0, 1, 0, {INFINITY, 3e38f, -INFINITY}), (Floats{9, 9, 0}));
}

TEST(GridSample, ImagesAndVolumes) {
  // The grid names the column first.
  EXPECT_EQ(Sample({1, 1, 2, 2, 2, 1, 2, 0, 0, 1}, {1, 10, 2, 20, 3, 30, 4, 40}, {1, -1}), (Floats{2, 20}));
  EXPECT_EQ(Sample({1, 2, 2, 2, 1, 1, 3, 0, 0, 1}, {0, 1, 2, 3, 4, 5, 6, 7}, {1, -1, 0}), (Floats{3}));
  EXPECT_EQ(Sample({2, 1, 1, 1, 1, 1, 1, 2, 0, 1}, {5, 6}, {0, 0}), (Floats{5, 6}));
}

TEST(GridSample, EveryRowGivesTheBitsOfTheScalarRow) {
  for (uint32_t channels = 1; channels < 70; channels += channels < 20 ? 1 : 13)
    for (const uint32_t mode : {0u, 1u, 2u}) {
      const GridSampleParams p{2, 3, 4, 5, channels, 11, 3, mode, channels % 3, channels % 2};
      const Floats x = RandomFloats(size_t{120} * channels, channels, -3, 3);
      const Floats grid = RandomFloats(66, channels + 1, -1.6f, 1.6f);
      const Floats expected = Sample(p, x, grid);
      for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(expected, Sample(p, x, grid, isa))) << IsaName(isa);
    }
}

TEST(GridSample, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 12), grid(ElementType::kF32, 10), y(ElementType::kF32, 15);
  const auto refuses = [](const GridSampleParams& p, const Buffer& in, const Buffer& at, const Buffer& out) {
    return !ValidateOnly({&kernel_grid_sample, &p, {&in, &at}, {}, {&out}}).ok();
  };
  const GridSampleParams good{1, 1, 2, 2, 3, 5, 2, 0, 0, 0};
  ASSERT_FALSE(refuses(good, x, grid, y));
  EXPECT_TRUE(refuses({1, 1, 2, 2, 3, 5, 1, 0, 0, 0}, x, Buffer(ElementType::kF32, 5), y));
  EXPECT_TRUE(refuses({1, 1, 2, 2, 3, 5, 4, 0, 0, 0}, x, Buffer(ElementType::kF32, 20), y));
  EXPECT_TRUE(refuses({1, 1, 2, 2, 3, 5, 2, 3, 0, 0}, x, grid, y));
  EXPECT_TRUE(refuses({1, 1, 2, 2, 3, 5, 2, 0, 3, 0}, x, grid, y));
  EXPECT_TRUE(refuses({1, 1, 2, 2, 3, 5, 2, 0, 0, 2}, x, grid, y));
  EXPECT_TRUE(refuses({1, 1, 0, 2, 3, 5, 2, 0, 0, 0}, Buffer(ElementType::kF32, 0), grid, y));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kF32, 11), grid, y));
  EXPECT_TRUE(refuses(good, x, Buffer(ElementType::kF32, 9), y));
  EXPECT_TRUE(refuses(good, x, grid, Buffer(ElementType::kF32, 14)));
}

Floats Columns(const DeformableColumnsParams& p, const Floats& x, const Floats& offsets, const Floats& mask,
               Isa isa = Isa::kScalar) {
  const Buffer in = Buffer::F32(x), moves = Buffer::F32(offsets), factors = mask.empty() ? Buffer() : Buffer::F32(mask);
  Buffer y(ElementType::kF32, size_t{p.batch} * p.out_height * p.out_width * p.kernel_height * p.kernel_width * p.channels);
  std::vector<const Buffer*> inputs = {&in, &moves};
  if (factors.present()) inputs.push_back(&factors);
  RunCall({&kernel_deformable_columns, &p, inputs, {}, {&y}}, isa);
  return y.to_vector<float>();
}

// One tap on an image of 2 x 2 with two channels, moved by (dy, dx).
Floats OneTap(float dy, float dx, uint32_t padded, const Floats& mask = {}) {
  return Columns({1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, padded}, {1, 10, 2, 20, 3, 30, 4, 40}, {dy, dx}, mask);
}

TEST(DeformableColumns, ReadsBetweenPixels) {
  EXPECT_EQ(OneTap(0, 0, 0), (Floats{1, 10}));
  EXPECT_EQ(OneTap(0.5f, 0.5f, 0), (Floats{2.5f, 25}));
  EXPECT_EQ(OneTap(1, 0.25f, 0, {2}), (Floats{6.5f, 65}));
  // The last column goes on, or is mixed with zeros.
  EXPECT_EQ(OneTap(0, 1.5f, 0), (Floats{2, 20}));
  EXPECT_EQ(OneTap(0, 1.5f, 1), (Floats{1, 10}));
  EXPECT_EQ(OneTap(-0.5f, 0, 0), (Floats{0, 0}));
  EXPECT_EQ(OneTap(-0.5f, 0, 1), (Floats{0.5f, 5}));
  EXPECT_EQ(OneTap(2, 0, 1), (Floats{0, 0}));
  EXPECT_EQ(OneTap(NAN, 0, 1), (Floats{0, 0}));
  EXPECT_EQ(OneTap(0, -INFINITY, 0), (Floats{0, 0}));
}

TEST(DeformableColumns, TapsStridesAndGroups) {
  // A line of four pixels, two channels of a group each; windows of 2 with stride 2 and dilation 1, padded by 1.
  const DeformableColumnsParams p{1, 1, 4, 2, 2, 1, 2, 1, 2, 1, 2, 0, 1, 1, 1, 0};
  // [groups, taps, (rows, columns), places]: the second group reads one pixel further right.
  const Floats offsets = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1};
  const Floats x = {1, 10, 2, 20, 3, 30, 4, 40};
  EXPECT_EQ(Columns(p, x, offsets, {}), (Floats{0, 10, 1, 20, 2, 30, 3, 40}));
  EXPECT_EQ(Columns(p, x, offsets, {1, 2, 3, 4, 1, 1, 1, 1}), (Floats{0, 10, 3, 20, 4, 30, 12, 40}));
}

TEST(DeformableColumns, EveryRowGivesTheBitsOfTheScalarRow) {
  for (uint32_t channels = 2; channels < 80; channels += channels < 20 ? 2 : 14) {
    const DeformableColumnsParams p{2, 5, 6, channels, 2, 3, 3, 5, 6, 1, 1, 1, 1, 1, 1, channels / 2 % 2};
    const Floats x = RandomFloats(size_t{60} * channels, channels, -3, 3);
    const Floats offsets = RandomFloats(size_t{2} * 2 * 9 * 2 * 30, 5, -2, 2), mask = RandomFloats(2 * 2 * 9 * 30, 6, 0, 1);
    const Floats expected = Columns(p, x, offsets, mask);
    for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(expected, Columns(p, x, offsets, mask, isa))) << IsaName(isa);
  }
}

TEST(DeformableColumns, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 8), offsets(ElementType::kF32, 2), mask(ElementType::kF32, 1), y(ElementType::kF32, 2);
  const DeformableColumnsParams good{1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0};
  const auto refuses = [](const DeformableColumnsParams& p, const Buffer& in, const Buffer& moves, const Buffer& factors,
                          const Buffer& out) {
    return !ValidateOnly({&kernel_deformable_columns, &p, {&in, &moves, &factors}, {}, {&out}}).ok();
  };
  ASSERT_FALSE(refuses(good, x, offsets, mask, y));
  ASSERT_FALSE(refuses(good, x, offsets, Buffer::Absent(), y));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kF32, 9), offsets, mask, y));
  EXPECT_TRUE(refuses(good, x, Buffer(ElementType::kF32, 3), mask, y));
  EXPECT_TRUE(refuses(good, x, offsets, Buffer(ElementType::kF32, 2), y));
  EXPECT_TRUE(refuses(good, x, offsets, mask, Buffer(ElementType::kF32, 3)));
  const Buffer none(ElementType::kF32, 0);
  EXPECT_TRUE(refuses({1, 2, 2, 2, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0}, x, none, none, none)) << "no taps";
  DeformableColumnsParams other = good;
  other.groups = 3;
  EXPECT_TRUE(refuses(other, x, Buffer(ElementType::kF32, 6), Buffer(ElementType::kF32, 3), y));
  other = good;
  other.groups = 0;
  EXPECT_TRUE(refuses(other, x, Buffer(ElementType::kF32, 0), Buffer(ElementType::kF32, 0), y));
  other = good;
  other.padded = 2;
  EXPECT_TRUE(refuses(other, x, offsets, mask, y));
}

}  // namespace
}  // namespace lowp::test
