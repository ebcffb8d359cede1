// Tests of `reduce`: against double, the documented order, and every row against the scalar row.
#include "kernels/reduce/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

constexpr uint32_t kOps = 6;
enum Op : uint32_t { kSum, kMax, kMin, kProd, kSumAbs, kSumSquares };

ReduceParams Make(uint32_t op, uint32_t outer, uint32_t axis, uint32_t inner) {
  ReduceParams p = {};
  p.op = op, p.outer = outer, p.axis = axis, p.inner = inner;
  return p;
}

// Products of many factors stay in range when these are near 1.
Buffer Data(const ReduceParams& p, unsigned seed, bool specials = false) {
  const bool product = p.op == kProd;
  return Buffer::F32(
      RandomFloats(size_t{p.outer} * p.axis * p.inner, seed, product ? 0.99f : -3.0f, product ? 1.01f : 5.0f, specials));
}

std::vector<float> Compute(const ReduceParams& p, const Buffer& x, Isa isa) {
  Buffer y(ElementType::kF32, size_t{p.outer} * p.inner);
  RunCall({&kernel_reduce, &p, {&x}, {}, {&y}}, isa);
  return y.to_vector<float>();
}

double Exact(const ReduceParams& p, const float* x) {
  double s = p.op == kProd ? 1 : p.op == kMax ? -INFINITY : p.op == kMin ? INFINITY : 0;
  for (size_t i = 0; i < p.axis; i++) {
    const double v = x[i * p.inner];
    s = p.op == kMax      ? std::max(s, v)
        : p.op == kMin    ? std::min(s, v)
        : p.op == kProd   ? s * v
        : p.op == kSumAbs ? s + std::abs(v)
                          : s + (p.op == kSumSquares ? v * v : v);
  }
  return p.finish == 1 ? s / p.divisor : p.finish == 2 ? std::sqrt(s) : s;
}

// At most 1024 + 5 roundings, each of half a unit of the sum of magnitudes.
TEST(Reduce, IsCloseToDouble) {
  for (uint32_t op = 0; op < kOps; op++)
    for (uint32_t inner : {1u, 3u, 70u, 600u})
      for (uint32_t axis : {1u, 31u, 1024u, 1025u, 3000u}) {
        ReduceParams p = Make(op, 2, axis, inner);
        p.finish = op == kSum ? 1 : op == kSumSquares ? 2 : 0;
        p.divisor = static_cast<float>(axis);
        const Buffer x = Data(p, axis + inner);
        const std::vector<float> y = Compute(p, x, ActiveIsa());
        for (size_t o = 0; o < p.outer; o++)
          for (size_t c = 0; c < inner; c++) {
            const double exact = Exact(p, x.as<float>() + o * axis * inner + c);
            const double size = p.finish == 1 ? 5.0 : std::abs(exact);
            ASSERT_NEAR(exact, y[o * inner + c], size * 1100 * 0x1p-24) << op << " axis " << axis << " inner " << inner;
          }
      }
}

// The order of reduce.h, written apart from the kernel.
TEST(Reduce, AddsBlocksOfThirtyTwoLanesInOrder) {
  const ReduceParams p = Make(kSum, 1, 2500, 1);
  const Buffer x = Data(p, 5);
  float total = 0;
  for (size_t first = 0; first < 2500; first += 1024) {
    float s[32] = {};
    for (size_t i = first; i < std::min<size_t>(2500, first + 1024); i++) s[i % 32] += x.as<float>()[i];
    for (size_t half : {16, 8, 4, 2, 1})
      for (size_t j = 0; j < half; j++) s[j] += s[j + half];
    total += s[0];
  }
  for (Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats({total}, Compute(p, x, isa))) << IsaName(isa);
}

TEST(Reduce, AddsBlocksOfColumnsInOrder) {
  const ReduceParams p = Make(kSumSquares, 1, 2500, 9);
  const Buffer x = Data(p, 6);
  std::vector<float> total(9, 0.0f);
  for (size_t c = 0; c < 9; c++)
    for (size_t first = 0; first < 2500; first += 1024) {
      float s = 0;
      for (size_t i = first; i < std::min<size_t>(2500, first + 1024); i++) {
        const float v = x.as<float>()[i * 9 + c];
        s = std::fma(v, v, s);
      }
      total[c] += s;
    }
  for (Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats(total, Compute(p, x, isa))) << IsaName(isa);
}

TEST(Reduce, EveryRowGivesTheBitsOfTheScalarRow) {
  for (uint32_t op = 0; op < kOps; op++) {
    for (uint32_t size = 1; size <= 140; size++)
      for (bool rows : {false, true}) {
        ReduceParams p = rows ? Make(op, size < 20 ? 39 : 3, size, 1) : Make(op, 2, 1 + size % 7, size);
        p.finish = size % 3;
        p.divisor = 7.0f;
        const Buffer x = Data(p, size, size % 4 == 1);
        const std::vector<float> expected = Compute(p, x, Isa::kScalar);
        for (Isa isa : RunnableIsas())
          ASSERT_TRUE(SameFloats(expected, Compute(p, x, isa))) << IsaName(isa) << " op " << op << " size " << size;
      }
    for (const ReduceParams& p : {Make(op, 70, 300, 1), Make(op, 3, 3000, 1), Make(op, 2, 2100, 40), Make(op, 2, 3, 1100)}) {
      const Buffer x = Data(p, op);
      const std::vector<float> expected = Compute(p, x, Isa::kScalar);
      for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(expected, Compute(p, x, isa))) << IsaName(isa) << " op " << op;
    }
  }
}

TEST(Reduce, PassesNanOn) {
  for (uint32_t op = 0; op < kOps; op++)
    for (uint32_t inner : {1u, 2u, 65u})
      for (uint32_t at : {0u, 17u, 39u, 1500u}) {
        const ReduceParams p = Make(op, 1, at < 40 ? 40 : 2000, inner);
        const Buffer x = Data(p, at);
        x.as<float>()[at * inner + inner - 1] = std::numeric_limits<float>::quiet_NaN();
        for (Isa isa : RunnableIsas()) {
          const std::vector<float> y = Compute(p, x, isa);
          for (size_t c = 0; c < inner; c++) ASSERT_EQ(c == inner - 1, std::isnan(y[c])) << op << " at " << at;
        }
      }
}

TEST(Reduce, RefusesBadCalls) {
  const ReduceParams good = Make(kSum, 2, 5, 3);
  const Buffer x(ElementType::kF32, 30), y(ElementType::kF32, 6), bytes(ElementType::kU8, 30), absent;
  const auto ok = [&](const ReduceParams& p, const Buffer& in, const Buffer& out) {
    return ValidateOnly({&kernel_reduce, &p, {&in}, {}, {&out}}).ok();
  };
  EXPECT_TRUE(ok(good, x, y));
  EXPECT_FALSE(ok(good, y, y));
  EXPECT_FALSE(ok(good, x, x));
  EXPECT_FALSE(ok(good, bytes, y));
  EXPECT_FALSE(ok(good, absent, y));
  EXPECT_FALSE(ok(good, x, absent));
  EXPECT_FALSE(ok(Make(kOps, 2, 5, 3), x, y));
  EXPECT_FALSE(ok(Make(kSum, 2, 0, 3), x, y));
  EXPECT_FALSE(ok(Make(kSum, UINT32_MAX, UINT32_MAX, 3), x, y));
  ReduceParams bad = good;
  bad.finish = 3;
  EXPECT_FALSE(ok(bad, x, y));
}

}  // namespace
}  // namespace lowp::test
