// Tests of `unary`: accuracy against double, behaviour at the ends, and every row against the scalar row.
#include "kernels/unary/unary.h"

#include <algorithm>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

enum Op : uint32_t {
  kClamp,
  kLeakyRelu,
  kSigmoid,
  kTanh,
  kExp,
  kSqrt,
  kAbs,
  kNegative,
  kHSwish,
  kHSigmoid,
  kElu,
  kSwish,
  kGeluErf,
  kSoftplus,
  kErf,
  kGeluTanh,
  kHardSigmoid,
  kRoundEven,
  kFloor,
  kCeiling,
  kSign,
  kMish,
  kSoftSign,
  kSelu,
  kLog,
  kSin,
  kCos,
  kRoundAway,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kAsinh,
  kAcosh,
  kAtanh,
  kOps
};

std::vector<float> Compute(uint32_t op, const std::vector<float>& x, Isa isa, float alpha = 0.1f, float beta = 1.5f) {
  const UnaryParams p{op, static_cast<uint32_t>(x.size()), alpha, beta, 1, 0, 0, 0};
  const Buffer in = Buffer::F32(x);
  Buffer y(ElementType::kF32, x.size());
  RunCall({&kernel_unary, &p, {&in}, {}, {&y}}, isa);
  return y.to_vector<float>();
}

// Those of mathematics, without parameters.
double ExactMath(uint32_t op, double x) {
  switch (op) {
    case kLog:
      return std::log(x);
    case kSin:
      return std::sin(x);
    case kCos:
      return std::cos(x);
    case kRoundAway:
      return std::round(x);
    case kTan:
      return std::tan(x);
    case kAsin:
      return std::asin(x);
    case kAcos:
      return std::acos(x);
    case kAtan:
      return std::atan(x);
    case kSinh:
      return std::sinh(x);
    case kCosh:
      return std::cosh(x);
    case kAsinh:
      return std::asinh(x);
    case kAcosh:
      return std::acosh(x);
    case kAtanh:
      return std::atanh(x);
    default:
      return NAN;
  }
}

double Exact(uint32_t op, double x, double alpha, double beta) {
  if (op >= kLog) return ExactMath(op, x);
  switch (op) {
    case kLeakyRelu:
      return x < 0 ? alpha * x : x;
    case kSigmoid:
      return 1 / (1 + std::exp(-x));
    case kTanh:
      return std::tanh(x);
    case kExp:
      return std::exp(x);
    case kSqrt:
      return std::sqrt(x);
    case kAbs:
      return std::fabs(x);
    case kNegative:
      return -x;
    case kHSwish:
      return x * std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case kHSigmoid:
      return std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case kHardSigmoid:
      return std::min(std::max(alpha * x + beta, 0.0), 1.0);
    case kElu:
      return x > 0 ? x : alpha * std::expm1(x);
    case kSwish:
      return x / (1 + std::exp(-beta * x));
    case kGeluErf:
      return 0.5 * x * (1 + std::erf(x * std::sqrt(0.5)));
    case kErf:
      return std::erf(x);
    case kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case kRoundEven:
      return std::nearbyint(x);
    case kFloor:
      return std::floor(x);
    case kCeiling:
      return std::ceil(x);
    case kSign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case kMish:
      return x * std::tanh(std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))));
    case kSoftSign:
      return x / (1 + std::fabs(x));
    case kSelu:
      return beta * (x > 0 ? x : alpha * std::expm1(x));
    case kSoftplus:
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    default:
      return std::min(std::max(x, alpha), beta);
  }
}

// Every float pattern in steps of `step` between two positive values, with both signs.
std::vector<float> Sweep(float low, float high, uint32_t step) {
  std::vector<float> x;
  for (uint32_t bits = BitsOf(low); bits <= BitsOf(high); bits += step) {
    float v;
    std::memcpy(&v, &bits, sizeof(v));
    x.push_back(v);
    x.push_back(-v);
  }
  return x;
}

double LargestUlpError(uint32_t op, const std::vector<float>& x, float alpha = 1.0f, float beta = 1.0f) {
  const std::vector<float> y = Compute(op, x, ActiveIsa(), alpha, beta);
  double worst = 0;
  for (size_t i = 0; i < x.size(); i++) {
    const double error = UlpError(Exact(op, x[i], alpha, beta), y[i]);
    if (error > worst) worst = error;
  }
  ::testing::Test::RecordProperty("ulp", std::to_string(worst));
  return worst;
}

// Bounds in ulp of the exact result; the documented ones of simd/elementary.h.
TEST(Unary, ExpIsAccurateToOneUlp) { EXPECT_LE(LargestUlpError(kExp, Sweep(1e-30f, 110.0f, 997)), 1.0); }
TEST(Unary, SigmoidIsAccurateToThreeUlp) { EXPECT_LE(LargestUlpError(kSigmoid, Sweep(1e-30f, 110.0f, 997)), 3.0); }
TEST(Unary, TanhIsAccurateToTwoUlp) { EXPECT_LE(LargestUlpError(kTanh, Sweep(1e-30f, 50.0f, 997)), 2.0); }
TEST(Unary, EluIsAccurateToTwoUlp) { EXPECT_LE(LargestUlpError(kElu, Sweep(1e-30f, 110.0f, 997)), 2.0); }
TEST(Unary, SoftplusIsAccurateToThreeUlp) { EXPECT_LE(LargestUlpError(kSoftplus, Sweep(1e-30f, 110.0f, 997)), 3.0); }
TEST(Unary, SeluIsAccurateToFourUlp) { EXPECT_LE(LargestUlpError(kSelu, Sweep(1e-30f, 110.0f, 997), 1.6f, 1.1f), 4.0); }
TEST(Unary, SoftSignIsAccurateToTwoUlp) { EXPECT_LE(LargestUlpError(kSoftSign, Sweep(1e-30f, 1e30f, 9973)), 2.0); }
TEST(Unary, MishIsAccurateToSixUlp) { EXPECT_LE(LargestUlpError(kMish, Sweep(1e-30f, 80.0f, 997)), 6.0); }
TEST(Unary, SwishIsAccurateToFourUlp) { EXPECT_LE(LargestUlpError(kSwish, Sweep(1e-30f, 80.0f, 997)), 4.0); }

// Positive values; 1 and its neighbours, where the logarithm is small.
TEST(Unary, LogIsAccurateToOneUlp) {
  std::vector<float> x;
  for (float v : Sweep(1e-45f, 3.4e38f, 997)) x.push_back(std::fabs(v));
  for (float v : Sweep(0.99f, 1.01f, 3)) x.push_back(std::fabs(v));
  EXPECT_LE(LargestUlpError(kLog, x), 1.0);
}
TEST(Unary, SinAndCosAreAccurateToTwoUlp) {
  std::vector<float> x = Sweep(1e-30f, 3e38f, 4999);
  for (float v : Sweep(0.5f, 7.0f, 101)) x.push_back(v);
  // The floats beside whole quarter turns, where one of the two is smallest.
  for (int n = 1; n < 83000; n++) {
    const float turn = static_cast<float>(n * M_PI_2);
    for (float v : {std::nextafter(turn, 0.0f), turn, std::nextafter(turn, INFINITY)}) x.push_back(v);
  }
  EXPECT_LE(LargestUlpError(kSin, x), 2.0);
  EXPECT_LE(LargestUlpError(kCos, x), 2.0);
}
TEST(Unary, FunctionsInDoublesAreRoundedOnce) {
  for (uint32_t op = kTan; op < kOps; op++)
    EXPECT_LE(LargestUlpError(op, Sweep(1e-30f, 80.0f, 9973)), 0.5001) << op;
}

TEST(Unary, LogAtItsEnds) {
  for (Isa isa : RunnableIsas()) {
    const std::vector<float> y = Compute(kLog, {0.0f, -0.0f, 1.0f, INFINITY, -1.0f, -INFINITY, 1e-45f}, isa);
    EXPECT_TRUE(SameFloats({-INFINITY, -INFINITY, 0.0f, INFINITY}, {y[0], y[1], y[2], y[3]})) << IsaName(isa);
    EXPECT_TRUE(std::isnan(y[4]) && std::isnan(y[5])) << IsaName(isa);
    EXPECT_FLOAT_EQ(y[6], -103.27893f);
  }
}
TEST(Unary, AnglesAtTheirEnds) {
  for (Isa isa : RunnableIsas()) {
    EXPECT_TRUE(SameFloats({0.0f, -0.0f, 1e-45f, -1e-45f}, Compute(kSin, {0.0f, -0.0f, 1e-45f, -1e-45f}, isa)));
    EXPECT_TRUE(SameFloats({1, 1, 1}, Compute(kCos, {0.0f, -0.0f, 1e-45f}, isa)));
    for (uint32_t op : {kSin, kCos})
      for (float v : Compute(op, {INFINITY, -INFINITY}, isa)) EXPECT_TRUE(std::isnan(v)) << IsaName(isa);
  }
}

TEST(Unary, ErfIsAccurateToTwoUlp) { EXPECT_LE(LargestUlpError(kErf, Sweep(1e-30f, 10.0f, 997)), 2.0); }

// Three roundings in front of tanh, whose result counts once more beside 1.
TEST(Unary, GeluTanhIsAccurateBesideItsCancellation) {
  const std::vector<float> x = Sweep(1e-30f, 20.0f, 997), y = Compute(kGeluTanh, x, ActiveIsa());
  for (size_t i = 0; i < x.size(); i++)
    ASSERT_LE(std::fabs(Exact(kGeluTanh, x[i], 0, 0) - y[i]), std::fabs(x[i]) * 0x1p-22) << x[i];
}

// For x < 0 the definition cancels, so the error is absolute there: one ulp of 1 + erf times |x| / 2.
TEST(Unary, GeluIsAccurateToFourUlpOrItsCancellation) {
  const std::vector<float> x = Sweep(1e-30f, 20.0f, 997), y = Compute(kGeluErf, x, ActiveIsa());
  for (size_t i = 0; i < x.size(); i++) {
    const double exact = Exact(kGeluErf, x[i], 0, 0);
    if (x[i] > -0.5f)
      ASSERT_LE(UlpError(exact, y[i]), 4.0) << x[i];
    else
      ASSERT_LE(std::fabs(exact - y[i]), std::fabs(x[i]) * 0x1p-24) << x[i];
  }
}

TEST(Unary, WholeNumbersAreExact) {
  std::vector<float> x = Sweep(1e-45f, 3e38f, 10007);
  for (float v : SpecialFloats()) x.push_back(v);
  for (int i = -40; i <= 40; i++) x.push_back(static_cast<float>(i) / 4);
  for (uint32_t op : {kRoundEven, kRoundAway, kFloor, kCeiling, kSign}) {
    const std::vector<float> y = Compute(op, x, ActiveIsa());
    for (size_t i = 0; i < x.size(); i++)
      ASSERT_TRUE(SameFloat(static_cast<float>(Exact(op, x[i], 0, 0)), y[i])) << op << " " << x[i];
  }
}

TEST(Unary, SimpleOpsAreTheirDefinition) {
  const std::vector<float> x = RandomFloats(1000, 3, -8.0f, 8.0f);
  for (uint32_t op : {kClamp, kLeakyRelu, kSqrt, kAbs, kNegative}) {
    const std::vector<float> y = Compute(op, x, ActiveIsa(), -0.25f, 2.0f);
    for (size_t i = 0; i < x.size(); i++)
      ASSERT_TRUE(SameFloat(static_cast<float>(Exact(op, x[i], -0.25, 2.0)), y[i])) << op << " " << x[i];
  }
  for (uint32_t op : {kHSwish, kHSigmoid}) {
    const std::vector<float> y = Compute(op, x, ActiveIsa());
    for (size_t i = 0; i < x.size(); i++) ASSERT_NEAR(Exact(op, x[i], 0, 0), y[i], 1e-6 * (1 + std::fabs(x[i])));
  }
}

TEST(Unary, SaturatesAtTheEnds) {
  const std::vector<float> x = {-INFINITY, -200.0f, -0.0f, 0.0f, 200.0f, INFINITY};
  EXPECT_TRUE(SameFloats({0, 0, 1, 1, INFINITY, INFINITY}, Compute(kExp, x, ActiveIsa())));
  EXPECT_TRUE(SameFloats({0, 0, 0.5f, 0.5f, 1, 1}, Compute(kSigmoid, x, ActiveIsa())));
  EXPECT_TRUE(SameFloats({-1, -1, -0.0f, 0, 1, 1}, Compute(kTanh, x, ActiveIsa())));
  EXPECT_TRUE(SameFloats({-0.5f, -0.5f, 0.0f * 0.5f, 0, 200, INFINITY}, Compute(kElu, x, ActiveIsa(), 0.5f)));
  EXPECT_TRUE(SameFloats({0, 0, 0x1.62e430p-1f, 0x1.62e430p-1f, 200, INFINITY}, Compute(kSoftplus, x, ActiveIsa())));
  EXPECT_TRUE(SameFloats({-2, -2, -0.0f, 0, 3, 3}, Compute(kClamp, x, ActiveIsa(), -2.0f, 3.0f)));
}

TEST(Unary, NanStaysNanButInClamp) {
  for (Isa isa : RunnableIsas())
    for (uint32_t op = 0; op < kOps; op++) {
      const std::vector<float> y = Compute(op, {NAN, NAN, 1.0f}, isa, 0.25f, 2.0f);
      if (op == kClamp)
        EXPECT_EQ(y[0], 0.25f);
      else
        EXPECT_TRUE(std::isnan(y[0])) << op << " " << IsaName(isa);
      EXPECT_FALSE(std::isnan(y[2]));
    }
}

TEST(Unary, EveryRowGivesTheBitsOfTheScalarRow) {
  std::vector<float> x = Sweep(1e-45f, 3e38f, 100003);
  for (float v : SpecialFloats()) x.push_back(v);
  for (float v : RandomFloats(20000, 11, -12.0f, 12.0f)) x.push_back(v);
  for (uint32_t op = 0; op < kOps; op++) {
    const std::vector<float> expected = Compute(op, x, Isa::kScalar);
    for (Isa isa : RunnableIsas())
      EXPECT_TRUE(SameFloats(expected, Compute(op, x, isa))) << IsaName(isa) << " op " << op;
  }
}

TEST(Unary, EveryTail) {
  for (size_t n = 0; n <= 70; n++) {
    const std::vector<float> x = RandomFloats(n, static_cast<unsigned>(n), -5.0f, 5.0f, true);
    for (uint32_t op = 0; op < kOps; op++)
      for (Isa isa : RunnableIsas())
        ASSERT_TRUE(SameFloats(Compute(op, x, Isa::kScalar), Compute(op, x, isa))) << IsaName(isa) << " " << n;
  }
}

TEST(Unary, ScalesAndShiftsWhatItStores) {
  for (size_t n : {1, 31, 1024, 40000}) {
    const std::vector<float> x = RandomFloats(n, static_cast<unsigned>(n), -6.0f, 6.0f, true);
    std::vector<float> expected;
    for (float v : Compute(kHSwish, x, Isa::kScalar)) expected.push_back(std::fma(v, -1.5f, 0.25f));
    const UnaryParams p{kHSwish, static_cast<uint32_t>(n), 0, 0, -1.5f, 0.25f, 0, 0};
    const Buffer in = Buffer::F32(x);
    for (Isa isa : RunnableIsas()) {
      Buffer y(ElementType::kF32, n);
      RunCall({&kernel_unary, &p, {&in}, {}, {&y}}, isa);
      ASSERT_TRUE(SameFloats(expected, y.to_vector<float>())) << IsaName(isa) << " n " << n;
    }
  }
}

TEST(Unary, StoresBytes) {
  for (size_t n : {1, 31, 64, 1000, 1024, 40000}) {
    const std::vector<float> x = RandomFloats(n, static_cast<unsigned>(n), -6.0f, 6.0f, true);
    for (uint32_t op : {kGeluErf, kSigmoid, kTanh}) {
      std::vector<uint8_t> expected;
      for (float v : Compute(op, x, Isa::kScalar)) {
        const float r = std::nearbyint(std::fma(v, 40.0f, 100.5f));
        expected.push_back(std::isnan(r) || r < 3.0f ? 3 : r > 250.0f ? 250 : static_cast<uint8_t>(r));
      }
      const UnaryParams p{op, static_cast<uint32_t>(n), 0.1f, 1.5f, 40.0f, 100.5f, 3, 250};
      const Buffer in = Buffer::F32(x);
      for (Isa isa : RunnableIsas()) {
        Buffer y(ElementType::kU8, n);
        RunCall({&kernel_unary, &p, {&in}, {}, {&y}}, isa);
        ASSERT_EQ(expected, y.to_vector<uint8_t>()) << IsaName(isa) << " op " << op << " n " << n;
      }
    }
  }
}

TEST(Unary, RefusesBadCalls) {
  const UnaryParams p{kExp, 10, 0, 0, 1, 0, 0, 0}, unknown{kOps, 10, 0, 0, 1, 0, 0, 0};
  const Buffer x(ElementType::kF32, 10), other(ElementType::kF32, 9), bytes(ElementType::kU8, 10);
  EXPECT_TRUE(ValidateOnly({&kernel_unary, &p, {&x}, {}, {&x}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_unary, &unknown, {&x}, {}, {&x}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_unary, &p, {&other}, {}, {&x}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_unary, &p, {&x}, {}, {&other}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_unary, &p, {&bytes}, {}, {&x}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_unary, &p, {}, {}, {&x}}).ok());
}

}  // namespace
}  // namespace lowp::test
