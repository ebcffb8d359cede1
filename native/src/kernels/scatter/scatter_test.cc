// Tests of `scatter`: every element size, the order of writes, long blocks, in place, indices outside.
#include "kernels/scatter/scatter.h"

#include "kernel_harness.h"
#include "pick_data.h"

namespace lowp::test {
namespace {

constexpr auto Slices = SlicePicks<ScatterParams>;

TEST(Scatter, ReplacesByHandAndTheLastWriteStays) {
  const Buffer x = Buffer::F32({0, 0, 0, 0, 0, 0});
  const Buffer indices = Buffer::Of<int64_t>(ElementType::kI64, {1, -1, 1});
  const Buffer updates = Buffer::F32({1, 2, 3, 4, 5, 6});
  Buffer y(ElementType::kF32, 6);
  const ScatterParams p = Slices(2, 3, 1, 3);
  for (Isa isa : RunnableIsas()) {
    RunCall({&kernel_scatter, &p, {&x, &indices, &updates}, {}, {&y}}, isa);
    EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 3, 2, 0, 6, 5}));
  }
}

// Many writes to few places, over blocks that are cut into parts, apart and in place.
template <class T, class Index>
void ExpectSlices(ElementType type, ElementType index_type) {
  std::mt19937 random(11);
  for (const uint32_t inner : {1u, 2u, 3u, 4u, 16u, 40000u}) {
    const uint32_t outer = 1 + random() % 3, size = 1 + random() % 5, places = 1 + random() % 9;
    std::vector<T> x(size_t{outer} * size * inner), updates(size_t{outer} * places * inner);
    for (T& v : x) v = static_cast<T>(random());
    for (T& v : updates) v = static_cast<T>(random());
    const std::vector<Index> indices = RandomIndices<Index>(random, places, size);
    std::vector<T> expected = x;
    for (uint32_t o = 0; o < outer; o++)
      for (uint32_t n = 0; n < places; n++)
        for (uint32_t k = 0; k < inner; k++) {
          const uint32_t at = PlaceOf(indices[n], size);
          expected[(o * size + at) * inner + k] = updates[(size_t{o} * places + n) * inner + k];
        }
    const Buffer in = Buffer::Of(type, x), list = Buffer::Of(index_type, indices), u = Buffer::Of(type, updates);
    Buffer y(type, x.size());
    const ScatterParams p = Slices(outer, size, inner, places);
    RunCall({&kernel_scatter, &p, {&in, &list, &u}, {}, {&y}}, Isa::kScalar);
    ASSERT_EQ(y.to_vector<T>(), expected) << inner;
    RunCall({&kernel_scatter, &p, {&in, &list, &u}, {}, {&in}}, Isa::kScalar);
    ASSERT_EQ(in.to_vector<T>(), expected) << inner;
  }
}

TEST(Scatter, ReplacesBlocksOfEveryType) {
  ExpectSlices<float, int64_t>(ElementType::kF32, ElementType::kI64);
  ExpectSlices<uint8_t, int32_t>(ElementType::kU8, ElementType::kI32);
  ExpectSlices<uint16_t, int64_t>(ElementType::kI16, ElementType::kI64);
  ExpectSlices<int64_t, int32_t>(ElementType::kI64, ElementType::kI32);
}

TEST(Scatter, NamesPlacesByTuples) {
  ScatterParams p{};
  p.rank = 1;
  p.n0 = 2;
  p.index_stride0 = 2;
  p.depth = 2;
  p.size0 = 2, p.size1 = 3;
  p.step0 = 6, p.step1 = 2;
  p.block = 2;
  const Buffer x(ElementType::kI32, 12), updates = Buffer::Of<int32_t>(ElementType::kI32, {1, 2, 3, 4});
  std::memset(x.data(), 0, x.bytes());
  const Buffer indices = Buffer::Of<int32_t>(ElementType::kI32, {1, -1, -2, 1});
  Buffer y(ElementType::kI32, 12);
  RunCall({&kernel_scatter, &p, {&x, &indices, &updates}, {}, {&y}}, Isa::kScalar);
  EXPECT_EQ(y.to_vector<int32_t>(), (std::vector<int32_t>{0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 1, 2}));
}

TEST(Scatter, LeavesOutAndReportsIndicesOutside) {
  const Buffer x = Buffer::F32({1, 2, 3}), updates = Buffer::F32({7, 8, 9, 6});
  Buffer y(ElementType::kF32, 3);
  const ScatterParams p = Slices(1, 3, 1, 4);
  for (const int64_t outside : {int64_t{3}, int64_t{-4}, INT64_MAX, INT64_MIN}) {
    const Buffer indices = Buffer::Of<int64_t>(ElementType::kI64, {0, outside, 2, outside});
    std::string fault;
    RunCall({&kernel_scatter, &p, {&x, &indices, &updates}, {}, {&y}}, Isa::kScalar, 1, nullptr, &fault);
    EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{7, 2, 9}));
    EXPECT_EQ(fault, "index " + std::to_string(outside) + " at position 1 lies outside of an axis with 3 elements");
  }
}

TEST(Scatter, RefusesBadCalls) {
  const ScatterParams p = Slices(2, 3, 4, 5);
  const Buffer x(ElementType::kF32, 24), indices(ElementType::kI64, 5), updates(ElementType::kF32, 40);
  const auto refuses = [&](const Buffer& a, const Buffer& i, const Buffer& u, const Buffer& y) {
    return !ValidateOnly({&kernel_scatter, &p, {&a, &i, &u}, {}, {&y}}).ok();
  };
  ASSERT_FALSE(refuses(x, indices, updates, x));
  EXPECT_TRUE(refuses(x, indices, updates, Buffer(ElementType::kF32, 25)));
  EXPECT_TRUE(refuses(x, indices, updates, Buffer(ElementType::kI32, 24)));
  EXPECT_TRUE(refuses(x, indices, Buffer(ElementType::kF32, 39), x));
  EXPECT_TRUE(refuses(x, indices, Buffer(ElementType::kI32, 40), x));
  EXPECT_TRUE(refuses(x, Buffer(ElementType::kI16, 5), updates, x));
  EXPECT_TRUE(refuses(Buffer(ElementType::kF32, 23), indices, updates, Buffer(ElementType::kF32, 23)));
  EXPECT_TRUE(refuses(Buffer::Absent(), indices, updates, x));
}

}  // namespace
}  // namespace lowp::test
