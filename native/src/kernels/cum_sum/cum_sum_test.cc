// Tests of `cum_sum`: both directions by hand, ends of the range, many lines, calls that are refused.
#include "kernels/cum_sum/cum_sum.h"

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

template <class T>
std::vector<T> Sums(ElementType type, const std::vector<T>& x, const CumSumParams& p) {
  const Buffer in = Buffer::Of(type, x);
  Buffer y(type, x.size());
  RunCall({&kernel_cum_sum, &p, {&in}, {}, {&y}}, Isa::kScalar);
  RunCall({&kernel_cum_sum, &p, {&in}, {}, {&in}}, Isa::kScalar);
  EXPECT_EQ(in.to_vector<T>(), y.to_vector<T>()) << "in place";
  return y.to_vector<T>();
}

TEST(CumSum, SumsInBothDirections) {
  const std::vector<float> x = {1, 2, 4, 8};
  using Floats = std::vector<float>;
  EXPECT_EQ(Sums<float>(ElementType::kF32, x, {1, 4, 1, 0, 0}), (Floats{1, 3, 7, 15}));
  EXPECT_EQ(Sums<float>(ElementType::kF32, x, {1, 4, 1, 1, 0}), (Floats{0, 1, 3, 7}));
  EXPECT_EQ(Sums<float>(ElementType::kF32, x, {1, 4, 1, 0, 1}), (Floats{15, 14, 12, 8}));
  EXPECT_EQ(Sums<float>(ElementType::kF32, x, {1, 4, 1, 1, 1}), (Floats{14, 12, 8, 0}));
  EXPECT_EQ(Sums<float>(ElementType::kF32, x, {1, 2, 2, 0, 0}), (Floats{1, 2, 5, 10}));
  EXPECT_EQ(Sums<float>(ElementType::kF32, x, {2, 2, 1, 0, 0}), (Floats{1, 3, 4, 12}));
}

TEST(CumSum, RoundsOnceAndSaturates) {
  EXPECT_EQ(Sums<float>(ElementType::kF32, {1, 1e10f, -1e10f}, {1, 3, 1, 0, 0})[2], 1);
  EXPECT_EQ(Sums<int32_t>(ElementType::kI32, {INT32_MAX, 5, -6}, {1, 3, 1, 0, 0}),
            (std::vector<int32_t>{INT32_MAX, INT32_MAX, INT32_MAX - 1}));
  EXPECT_EQ(Sums<int64_t>(ElementType::kI64, {INT64_MIN, -5, 6}, {1, 3, 1, 0, 0}),
            (std::vector<int64_t>{INT64_MIN, INT64_MIN, INT64_MIN + 6}));
}

TEST(CumSum, ManyLines) {
  std::mt19937 random(3);
  for (const uint32_t inner : {1u, 63u, 64u, 65u, 200u}) {
    const CumSumParams p{3, 7, inner, 0, 0};
    std::vector<int64_t> x(size_t{3} * 7 * inner), expected(x.size());
    for (int64_t& v : x) v = static_cast<int64_t>(random() % 1000) - 500;
    for (size_t i = 0; i < x.size(); i++) expected[i] = x[i] + (i / inner % 7 ? expected[i - inner] : 0);
    EXPECT_EQ(Sums<int64_t>(ElementType::kI64, x, p), expected) << inner;
  }
}

TEST(CumSum, EndsWhenTheAxisIsEmpty) {
  const CumSumParams p{UINT32_MAX, 0, UINT32_MAX, 0, 0};
  const Buffer x(ElementType::kF32, 0);
  Buffer y(ElementType::kF32, 0);
  RunCall({&kernel_cum_sum, &p, {&x}, {}, {&y}}, Isa::kScalar);
}

TEST(CumSum, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 6), bytes(ElementType::kU8, 6);
  const auto refuses = [](const CumSumParams& p, const Buffer& in, const Buffer& y) {
    return !ValidateOnly({&kernel_cum_sum, &p, {&in}, {}, {&y}}).ok();
  };
  ASSERT_FALSE(refuses({1, 3, 2, 0, 0}, x, x));
  EXPECT_TRUE(refuses({2, 3, 2, 0, 0}, x, x));
  EXPECT_TRUE(refuses({1, 3, 2, 2, 0}, x, x));
  EXPECT_TRUE(refuses({1, 3, 2, 0, 2}, x, x));
  EXPECT_TRUE(refuses({1, 3, 2, 0, 0}, bytes, bytes));
  EXPECT_TRUE(refuses({1, 3, 2, 0, 0}, x, Buffer(ElementType::kI32, 6)));
  EXPECT_TRUE(refuses({65536, 65536, 65536, 0, 0}, x, x));
}

}  // namespace
}  // namespace lowp::test
