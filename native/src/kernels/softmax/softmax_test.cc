// Tests of `softmax`: against double, special values, and every row against the scalar row.
#include "kernels/softmax/softmax.h"

#include <algorithm>

#include "float_data.h"
#include "kernel_harness.h"
#include "kernels/unary/unary.h"

namespace lowp::test {
namespace {

std::vector<float> Compute(const SoftmaxParams& p, const std::vector<float>& x, Isa isa) {
  const Buffer in = Buffer::F32(x);
  Buffer y(ElementType::kF32, x.size());
  RunCall({&kernel_softmax, &p, {&in}, {}, {&y}}, isa);
  return y.to_vector<float>();
}

size_t Elements(const SoftmaxParams& p) { return size_t{p.outer} * p.axis * p.inner; }

// Error of a sum of positive terms: about axis / 16 + 4 roundings, and 2 ulp of exp; 32 ulp is ample up to 200.
TEST(Softmax, IsCloseToDouble) {
  for (const SoftmaxParams p : {SoftmaxParams{3, 7, 1}, SoftmaxParams{2, 200, 1}, SoftmaxParams{2, 33, 19}}) {
    const std::vector<float> x = RandomFloats(Elements(p), p.axis, -20.0f, 20.0f);
    const std::vector<float> y = Compute(p, x, ActiveIsa());
    for (size_t o = 0; o < p.outer; o++)
      for (size_t i = 0; i < p.inner; i++) {
        const auto at = [&](size_t a) { return (o * p.axis + a) * p.inner + i; };
        double max = -INFINITY, sum = 0;
        for (size_t a = 0; a < p.axis; a++) max = std::max(max, double{x[at(a)]});
        for (size_t a = 0; a < p.axis; a++) sum += std::exp(x[at(a)] - max);
        // x - max is rounded to float first, which moves the exponent by up to 2^-20 for these ranges.
        for (size_t a = 0; a < p.axis; a++) {
          const double exact = std::exp(x[at(a)] - max) / sum;
          ASSERT_NEAR(y[at(a)], exact, exact * (0x1p-19 + 32 * 0x1p-24)) << p.axis;
        }
      }
  }
}

// The documented order, with the exponentials of the `unary` kernel, whose exp is the same.
TEST(Softmax, SumsSixteenLanesInOrder) {
  const SoftmaxParams p{1, 53, 1};
  const std::vector<float> x = RandomFloats(53, 5, -3.0f, 3.0f);
  const float max = *std::max_element(x.begin(), x.end());
  std::vector<float> shifted, expected;
  for (float v : x) shifted.push_back(v - max);
  constexpr uint32_t kExp = 4;
  const UnaryParams exp_params{kExp, 53, 0, 0, 1, 0, 0, 0};
  const Buffer in = Buffer::F32(shifted);
  Buffer out(ElementType::kF32, 53);
  RunCall({&kernel_unary, &exp_params, {&in}, {}, {&out}}, Isa::kScalar);
  const std::vector<float> e = out.to_vector<float>();
  float sum[16] = {};
  for (size_t i = 0; i < 53; i++) sum[i % 16] += e[i];
  for (size_t half : {8, 4, 2, 1})
    for (size_t j = 0; j < half; j++) sum[j] += sum[j + half];
  for (float v : e) expected.push_back(v / sum[0]);
  for (Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats(expected, Compute(p, x, isa))) << IsaName(isa);
}

TEST(Softmax, SharesAreNormalNumbersOrZero) {
  for (uint32_t inner : {1u, 5u})
    for (uint32_t axis : {9u, 49u, 300u}) {
      const SoftmaxParams p{20, axis, inner};
      std::vector<float> x = RandomFloats(Elements(p), axis, -4.0f, 0.0f);
      for (size_t i = 0; i < x.size(); i += 3) x[i] -= 80.0f + static_cast<float>(i % 20);
      const std::vector<float> y = Compute(p, x, Isa::kScalar);
      for (float v : y) ASSERT_TRUE(v == 0 || v >= 0x1p-126f) << v;
      EXPECT_GT(std::count(y.begin(), y.end(), 0.0f), 0);
      for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(y, Compute(p, x, isa))) << IsaName(isa);
    }
}

TEST(Softmax, EveryRowGivesTheBitsOfTheScalarRow) {
  unsigned seed = 1;
  for (uint32_t inner : {1u, 2u, 7u, 16u, 33u})
    for (uint32_t axis = 0; axis <= 70; axis++) {
      const SoftmaxParams p{3, axis, inner};
      const std::vector<float> x = RandomFloats(Elements(p), seed++, -30.0f, 30.0f, axis % 4 == 1);
      const std::vector<float> expected = Compute(p, x, Isa::kScalar);
      for (Isa isa : RunnableIsas())
        ASSERT_TRUE(SameFloats(expected, Compute(p, x, isa))) << IsaName(isa) << " axis " << axis << " inner " << inner;
    }
  for (uint32_t axis = 1; axis <= 18; axis++)
    for (uint32_t rows : {15u, 16u, 39u}) {
      const SoftmaxParams p{rows, axis, 1};
      const std::vector<float> x = RandomFloats(Elements(p), seed++, -30.0f, 30.0f, axis % 4 == 1);
      for (Isa isa : RunnableIsas())
        ASSERT_TRUE(SameFloats(Compute(p, x, Isa::kScalar), Compute(p, x, isa))) << IsaName(isa) << " axis " << axis;
    }
  for (const SoftmaxParams p : {SoftmaxParams{1, 10007, 1}, SoftmaxParams{900, 11, 1}, SoftmaxParams{2, 21, 3001},
                                SoftmaxParams{2, 256, 37}, SoftmaxParams{2, 300, 37}}) {
    const std::vector<float> x = RandomFloats(Elements(p), seed++, -30.0f, 30.0f);
    for (Isa isa : RunnableIsas())
      ASSERT_TRUE(SameFloats(Compute(p, x, Isa::kScalar), Compute(p, x, isa))) << IsaName(isa) << " axis " << p.axis;
  }
}

TEST(Softmax, SpecialValues) {
  for (Isa isa : RunnableIsas()) {
    EXPECT_TRUE(SameFloats({0.5f, 0.0f, 0.5f}, Compute({1, 3, 1}, {3.0f, -INFINITY, 3.0f}, isa)));
    EXPECT_TRUE(SameFloats({1.0f, 0.0f}, Compute({1, 2, 1}, {3.4e38f, -3.4e38f}, isa)));
    EXPECT_TRUE(SameFloats({1.0f}, Compute({1, 1, 1}, {-5.0f}, isa)));
    EXPECT_TRUE(SameFloats({NAN, NAN}, Compute({1, 2, 1}, {-INFINITY, -INFINITY}, isa)));
    EXPECT_TRUE(SameFloats({NAN, NAN}, Compute({1, 2, 1}, {1.0f, NAN}, isa)));
    EXPECT_TRUE(SameFloats({NAN, 0.5f, NAN, 0.5f}, Compute({1, 2, 2}, {INFINITY, 2.0f, 1.0f, 2.0f}, isa)));
  }
}

TEST(Softmax, WorksInPlace) {
  for (const SoftmaxParams p : {SoftmaxParams{5, 37, 1}, SoftmaxParams{5, 9, 21}}) {
    const std::vector<float> x = RandomFloats(Elements(p), 3, -4.0f, 4.0f);
    for (Isa isa : RunnableIsas()) {
      Buffer data = Buffer::F32(x);
      RunCall({&kernel_softmax, &p, {&data}, {}, {&data}}, isa);
      EXPECT_TRUE(SameFloats(Compute(p, x, Isa::kScalar), data.to_vector<float>()));
    }
  }
}

// The bytes of the float results, whatever the row.
TEST(Softmax, StoresBytes) {
  unsigned seed = 9;
  for (uint32_t axis : {1u, 3u, 8u, 31u, 32u, 33u, 64u, 100u, 129u, 300u}) {
    SoftmaxParams p{40, axis, 1, 2, 251, 300.0f, 1.25f};
    const std::vector<float> x = RandomFloats(Elements(p), seed++, -3.0f, 3.0f, axis % 3 == 0);
    const std::vector<float> y = Compute(p, x, Isa::kScalar);
    std::vector<uint8_t> expected;
    for (float v : y) {
      const float r = std::nearbyint(std::fma(v, 300.0f, 1.25f));
      expected.push_back(std::isnan(r) || r < 2.0f ? 2 : r > 251.0f ? 251 : static_cast<uint8_t>(r));
    }
    const Buffer in = Buffer::F32(x);
    for (Isa isa : RunnableIsas()) {
      Buffer q(ElementType::kU8, x.size());
      RunCall({&kernel_softmax, &p, {&in}, {}, {&q}}, isa);
      ASSERT_EQ(expected, q.to_vector<uint8_t>()) << IsaName(isa) << " axis " << axis;
    }
  }
}

TEST(Softmax, RefusesBadCalls) {
  const SoftmaxParams p{2, 5, 3}, huge{~0u, ~0u, ~0u};
  const Buffer x(ElementType::kF32, 30), other(ElementType::kF32, 29), bytes(ElementType::kU8, 30);
  EXPECT_TRUE(ValidateOnly({&kernel_softmax, &p, {&x}, {}, {&x}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_softmax, &p, {&other}, {}, {&x}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_softmax, &p, {&x}, {}, {&other}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_softmax, &p, {&bytes}, {}, {&x}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_softmax, &p, {&x}, {}, {&bytes}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_softmax, &huge, {&x}, {}, {&x}}).ok());
}

}  // namespace
}  // namespace lowp::test
