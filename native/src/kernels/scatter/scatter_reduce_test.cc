// Tests of `scatter_reduce`: every reduction by hand, with and without what was there, in place, indices outside.
#include "kernels/scatter/scatter_reduce.h"

#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"
#include "pick_data.h"

namespace lowp::test {
namespace {

constexpr uint32_t kSum = 0, kDifference = 1, kProduct = 2, kMinimum = 3, kMaximum = 4, kMean = 5;

// Slices of the middle axis of [outer, size, inner].
ScatterReduceParams Slices(uint32_t outer, uint32_t size, uint32_t inner, uint32_t places, uint32_t reduction,
                           uint32_t keep) {
  ScatterReduceParams p = SlicePicks<ScatterReduceParams>(outer, size, inner, places);
  p.reduction = reduction;
  p.keep = keep;
  return p;
}

// Of x = 8, 8, 8 element 0 meets 3 and 6, element 2 meets 2.
template <class T>
std::vector<T> OfThree(ElementType type, uint32_t reduction, uint32_t keep, std::vector<T> x = {8, 8, 8}) {
  const Buffer in = Buffer::Of<T>(type, x), updates = Buffer::Of<T>(type, {3, 2, 6});
  const Buffer indices = Buffer::Of<int32_t>(ElementType::kI32, {0, -1, -3});
  Buffer y(type, 3);
  const ScatterReduceParams p = Slices(1, 3, 1, 3, reduction, keep);
  RunCall({&kernel_scatter_reduce, &p, {&in, &indices, &updates}, {}, {&y}}, Isa::kScalar);
  RunCall({&kernel_scatter_reduce, &p, {&in, &indices, &updates}, {}, {&in}}, Isa::kScalar);
  EXPECT_EQ(in.to_vector<T>(), y.to_vector<T>()) << "in place";
  return y.to_vector<T>();
}

TEST(ScatterReduce, ReducesByHand) {
  using Floats = std::vector<float>;
  EXPECT_EQ(OfThree<float>(ElementType::kF32, kSum, 1), (Floats{17, 8, 10}));
  EXPECT_EQ(OfThree<float>(ElementType::kF32, kSum, 0), (Floats{9, 8, 2}));
  EXPECT_EQ(OfThree<float>(ElementType::kF32, kDifference, 1), (Floats{-1, 8, 6}));
  EXPECT_EQ(OfThree<float>(ElementType::kF32, kProduct, 1), (Floats{144, 8, 16}));
  EXPECT_EQ(OfThree<float>(ElementType::kF32, kMinimum, 1), (Floats{3, 8, 2}));
  EXPECT_EQ(OfThree<float>(ElementType::kF32, kMaximum, 0), (Floats{6, 8, 2}));
  EXPECT_EQ(OfThree<float>(ElementType::kF32, kMean, 1), (Floats{static_cast<float>(17.0 / 3), 8, 5}));
  EXPECT_EQ(OfThree<float>(ElementType::kF32, kMean, 0), (Floats{4.5f, 8, 2}));
}

TEST(ScatterReduce, RoundsWholeMeansDownAndSaturates) {
  using Whole = std::vector<int32_t>;
  EXPECT_EQ(OfThree<int32_t>(ElementType::kI32, kMean, 0, {-8, -8, -9}), (Whole{4, -8, 2}));
  EXPECT_EQ(OfThree<int32_t>(ElementType::kI32, kMean, 1, {-10, -8, -9}), (Whole{-1, -8, -4}));
  EXPECT_EQ(OfThree<int32_t>(ElementType::kI32, kProduct, 1, {INT32_MAX, 1, INT32_MIN}),
            (Whole{INT32_MAX, 1, INT32_MIN}));
}

TEST(ScatterReduce, ReducesI64) {
  using Whole = std::vector<int64_t>;
  const int64_t large = int64_t{1} << 40;
  EXPECT_EQ(OfThree<int64_t>(ElementType::kI64, kSum, 1, {large, 8, -large}), (Whole{large + 9, 8, 2 - large}));
  EXPECT_EQ(OfThree<int64_t>(ElementType::kI64, kProduct, 1, {INT64_MAX, 8, INT64_MIN}),
            (Whole{INT64_MAX, 8, INT64_MIN}));
  EXPECT_EQ(OfThree<int64_t>(ElementType::kI64, kMean, 1, {-10, -8, -9}), (Whole{-1, -8, -4}));
  EXPECT_EQ(OfThree<int64_t>(ElementType::kI64, kMinimum, 1, {1, 8, 9}), (Whole{1, 8, 2}));
}

TEST(ScatterReduce, RoundsSumsOnceAndOrdersSpecialValues) {
  const auto of_one = [](uint32_t reduction, float x, const std::vector<float>& updates) {
    const Buffer in = Buffer::F32({x}), u = Buffer::F32(updates);
    const Buffer indices = Buffer::Of(ElementType::kI64, std::vector<int64_t>(updates.size(), 0));
    Buffer y(ElementType::kF32, 1);
    const ScatterReduceParams p = Slices(1, 1, 1, static_cast<uint32_t>(updates.size()), reduction, 1);
    RunCall({&kernel_scatter_reduce, &p, {&in, &indices, &u}, {}, {&y}}, Isa::kScalar);
    return *y.as<float>();
  };
  EXPECT_EQ(of_one(kSum, 1, {1e10f, -1e10f}), 1);
  EXPECT_TRUE(std::signbit(of_one(kMinimum, 0.0f, {-0.0f})));
  EXPECT_TRUE(std::signbit(of_one(kMinimum, -0.0f, {0.0f})));
  EXPECT_FALSE(std::signbit(of_one(kMaximum, -0.0f, {0.0f})));
  EXPECT_TRUE(std::isnan(of_one(kMaximum, 1, {NAN, 5})));
  EXPECT_TRUE(std::isnan(of_one(kMinimum, NAN, {5})));
}

// Blocks, steps of the outer loop that run apart, many updates of few places.
TEST(ScatterReduce, AddsBlocks) {
  std::mt19937 random(3);
  for (const uint32_t inner : {1u, 5u, 300u}) {
    const uint32_t outer = 3, size = 4, places = 9;
    std::vector<int32_t> x(size_t{outer} * size * inner), updates(size_t{outer} * places * inner);
    for (int32_t& v : x) v = static_cast<int32_t>(random() % 1000);
    for (int32_t& v : updates) v = static_cast<int32_t>(random() % 1000);
    const std::vector<int64_t> indices = RandomIndices<int64_t>(random, places, size);
    std::vector<int32_t> expected = x;
    for (uint32_t o = 0; o < outer; o++)
      for (uint32_t n = 0; n < places; n++)
        for (uint32_t k = 0; k < inner; k++)
          expected[(o * size + PlaceOf(indices[n], size)) * inner + k] += updates[(size_t{o} * places + n) * inner + k];
    const Buffer in = Buffer::Of(ElementType::kI32, x), u = Buffer::Of(ElementType::kI32, updates);
    const Buffer list = Buffer::Of(ElementType::kI64, indices);
    Buffer y(ElementType::kI32, x.size());
    const ScatterReduceParams p = Slices(outer, size, inner, places, kSum, 1);
    RunCall({&kernel_scatter_reduce, &p, {&in, &list, &u}, {}, {&y}}, Isa::kScalar);
    EXPECT_EQ(y.to_vector<int32_t>(), expected);
  }
}

TEST(ScatterReduce, ReportsAnIndexOutside) {
  const Buffer x = Buffer::F32({1, 1}), updates = Buffer::F32({5, 5});
  const Buffer indices = Buffer::Of<int64_t>(ElementType::kI64, {1, 2});
  Buffer y(ElementType::kF32, 2);
  const ScatterReduceParams p = Slices(1, 2, 1, 2, kSum, 1);
  std::string fault;
  RunCall({&kernel_scatter_reduce, &p, {&x, &indices, &updates}, {}, {&y}}, Isa::kScalar, 1, nullptr, &fault);
  EXPECT_EQ(fault, "index 2 at position 1 lies outside of an axis with 2 elements");
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{1, 6}));
}

TEST(ScatterReduce, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 6), indices(ElementType::kI32, 2), updates(ElementType::kF32, 4);
  const auto refuses = [](const ScatterReduceParams& p, const Buffer& in, const Buffer& list, const Buffer& u,
                          const Buffer& y) {
    return !ValidateOnly({&kernel_scatter_reduce, &p, {&in, &list, &u}, {}, {&y}}).ok();
  };
  const ScatterReduceParams good = Slices(1, 3, 2, 2, kSum, 1);
  ASSERT_FALSE(refuses(good, x, indices, updates, x));
  EXPECT_TRUE(refuses(Slices(1, 3, 2, 2, 6, 1), x, indices, updates, x));
  EXPECT_TRUE(refuses(Slices(1, 3, 2, 2, kSum, 2), x, indices, updates, x));
  EXPECT_TRUE(refuses(Slices(1, 4, 2, 2, kSum, 1), x, indices, updates, x));
  EXPECT_TRUE(refuses(good, x, Buffer(ElementType::kF32, 2), updates, x));
  EXPECT_TRUE(refuses(good, x, indices, Buffer(ElementType::kF32, 5), x));
  EXPECT_TRUE(refuses(good, x, indices, updates, Buffer(ElementType::kF32, 7)));
  const Buffer wide(ElementType::kI64, 6);
  EXPECT_FALSE(refuses(good, wide, indices, Buffer(ElementType::kI64, 4), wide));
  EXPECT_TRUE(refuses(good, wide, indices, updates, wide));
}

}  // namespace
}  // namespace lowp::test
