// Tests of `gather`: every element size, loops and tuples against a plain one, indices outside, calls that are refused.
#include "kernels/gather/gather.h"

#include "kernel_harness.h"
#include "pick_data.h"

namespace lowp::test {
namespace {

GatherParams Slices(uint32_t outer, uint32_t size, uint32_t inner, uint32_t places, uint32_t outside) {
  GatherParams p = SlicePicks<GatherParams>(outer, size, inner, places);
  p.outside = outside;
  return p;
}

template <class T>
std::vector<T> Counted(size_t n) {
  std::vector<T> v(n);
  for (size_t i = 0; i < n; i++) v[i] = static_cast<T>(i + 1);
  return v;
}

TEST(Gather, TakesSlicesByHand) {
  const Buffer x = Buffer::F32({1, 2, 3, 4, 5, 6});
  const Buffer indices = Buffer::Of<int64_t>(ElementType::kI64, {2, 0, -1});
  Buffer y(ElementType::kF32, 6);
  const GatherParams p = Slices(2, 3, 1, 3, 0);
  for (Isa isa : RunnableIsas()) {
    RunCall({&kernel_gather, &p, {&x, &indices}, {}, {&y}}, isa);
    EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{3, 1, 3, 6, 4, 6}));
  }
}

// Slices of every block size, in every type, by both kinds of indices.
template <class T, class Index>
void ExpectSlices(ElementType type, ElementType index_type) {
  std::mt19937 random(7);
  for (const uint32_t inner : {1u, 2u, 3u, 4u, 8u, 17u, 5000u}) {
    const uint32_t outer = 1 + random() % 3, size = 1 + random() % 9, places = 1 + random() % 40;
    const std::vector<T> x = Counted<T>(size_t{outer} * size * inner);
    const std::vector<Index> indices = RandomIndices<Index>(random, places, size);
    std::vector<T> expected;
    for (uint32_t o = 0; o < outer; o++)
      for (const Index i : indices)
        for (uint32_t k = 0; k < inner; k++)
          expected.push_back(x[(o * size + PlaceOf(i, size)) * inner + k]);
    const Buffer in = Buffer::Of(type, x), list = Buffer::Of(index_type, indices);
    Buffer y(type, expected.size());
    const GatherParams p = Slices(outer, size, inner, places, 0);
    RunCall({&kernel_gather, &p, {&in, &list}, {}, {&y}}, Isa::kScalar);
    ASSERT_EQ(y.to_vector<T>(), expected) << inner;
  }
}

TEST(Gather, TakesBlocksOfEveryType) {
  ExpectSlices<float, int64_t>(ElementType::kF32, ElementType::kI64);
  ExpectSlices<uint8_t, int32_t>(ElementType::kU8, ElementType::kI32);
  ExpectSlices<int8_t, int64_t>(ElementType::kI8, ElementType::kI64);
  ExpectSlices<uint16_t, int32_t>(ElementType::kF16, ElementType::kI32);
  ExpectSlices<int64_t, int32_t>(ElementType::kI64, ElementType::kI32);
}

// Three loops with strides of their own, and tuples of two.
TEST(Gather, FollowsLoopsAndTuples) {
  GatherParams p{};
  p.rank = 3;
  p.n0 = 2, p.n1 = 3, p.n2 = 2;
  p.index_stride0 = 0, p.index_stride1 = 4, p.index_stride2 = 2;
  p.base_stride0 = 40, p.base_stride1 = 0, p.base_stride2 = 20;
  p.depth = 2;
  p.size0 = 4, p.size1 = 5;
  p.step0 = 5, p.step1 = 1;
  p.block = 1;
  const std::vector<int32_t> x = Counted<int32_t>(80);
  const std::vector<int64_t> indices = {0, 1, 3, 4, -4, -1, 2, 2, 1, 0, -1, -5};
  std::vector<int32_t> expected;
  for (size_t a = 0; a < 2; a++)
    for (size_t b = 0; b < 3; b++)
      for (size_t c = 0; c < 2; c++) {
        const int64_t *t = &indices[b * 4 + c * 2], i = (t[0] + 4) % 4, j = (t[1] + 5) % 5;
        expected.push_back(x[a * 40 + c * 20 + static_cast<size_t>(i * 5 + j)]);
      }
  const Buffer in = Buffer::Of(ElementType::kI32, x), list = Buffer::Of(ElementType::kI64, indices);
  Buffer y(ElementType::kI32, 12);
  RunCall({&kernel_gather, &p, {&in, &list}, {}, {&y}}, Isa::kScalar);
  EXPECT_EQ(y.to_vector<int32_t>(), expected);
}

TEST(Gather, IndicesOutsideGiveZero) {
  const Buffer x = Buffer::F32({1, 2, 3});
  const Buffer indices = Buffer::Of<int64_t>(ElementType::kI64, {INT64_MIN, -4, -3, 2, 3, INT64_MAX});
  Buffer y(ElementType::kF32, 6);
  const GatherParams p = Slices(1, 3, 1, 6, 1);
  RunCall({&kernel_gather, &p, {&x, &indices}, {}, {&y}}, Isa::kScalar);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 0, 1, 3, 0, 0}));
}

TEST(Gather, ReportsTheFirstIndexOutside) {
  std::vector<int32_t> indices(100000, 1);
  indices[99999] = 5;
  indices[70000] = -4;
  const Buffer x = Buffer::F32({1, 2, 3}), list = Buffer::Of(ElementType::kI32, indices);
  Buffer y(ElementType::kF32, indices.size());
  const GatherParams p = Slices(1, 3, 1, 100000, 0);
  std::string fault;
  RunCall({&kernel_gather, &p, {&x, &list}, {}, {&y}}, Isa::kScalar, 1, nullptr, &fault);
  EXPECT_EQ(fault, "index -4 at position 70000 lies outside of an axis with 3 elements");
}

TEST(Gather, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 24), indices(ElementType::kI64, 5), y(ElementType::kF32, 40);
  const GatherParams good = Slices(2, 3, 4, 5, 0);
  const auto refuses = [&](const GatherParams& p, const Buffer& a, const Buffer& i, const Buffer& out) {
    return !ValidateOnly({&kernel_gather, &p, {&a, &i}, {}, {&out}}).ok();
  };
  ASSERT_FALSE(refuses(good, x, indices, y));
  const auto changed = [&](uint32_t GatherParams::*field, uint32_t value) {
    GatherParams p = good;
    p.*field = value;
    return refuses(p, x, indices, y);
  };
  EXPECT_TRUE(changed(&GatherParams::rank, 0));
  EXPECT_TRUE(changed(&GatherParams::rank, 7));
  EXPECT_TRUE(changed(&GatherParams::depth, 0));
  EXPECT_TRUE(changed(&GatherParams::depth, 7));
  EXPECT_TRUE(changed(&GatherParams::n0, 0));
  EXPECT_TRUE(changed(&GatherParams::n0, 3));
  EXPECT_TRUE(changed(&GatherParams::n1, 6));
  EXPECT_TRUE(changed(&GatherParams::size0, 0));
  EXPECT_TRUE(changed(&GatherParams::size0, 4));
  EXPECT_TRUE(changed(&GatherParams::step0, 0xffffffff));
  EXPECT_TRUE(changed(&GatherParams::base_stride0, 13));
  EXPECT_TRUE(changed(&GatherParams::index_stride0, 1));
  EXPECT_TRUE(changed(&GatherParams::block, 0));
  EXPECT_TRUE(changed(&GatherParams::block, 5));
  EXPECT_TRUE(changed(&GatherParams::outside, 2));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kF32, 23), indices, y));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kI32, 24), indices, y));
  EXPECT_TRUE(refuses(good, x, Buffer(ElementType::kI64, 4), y));
  EXPECT_TRUE(refuses(good, x, Buffer(ElementType::kF32, 5), y));
  EXPECT_TRUE(refuses(good, x, indices, Buffer(ElementType::kF32, 41)));
  GatherParams odd = good;
  odd.depth = 2;
  odd.size1 = 1;
  EXPECT_TRUE(refuses(odd, x, Buffer(ElementType::kI64, 50), y));  // tuples of two, one index apart
}

}  // namespace
}  // namespace lowp::test
