// Accuracy of the elementary functions against double, on their scalar instance; unary_test.cc compares the others.
#include "simd/vec_scalar.h"

#include "simd/elementary.h"

#include <gtest/gtest.h>

#include "float_data.h"

namespace lowp::test {
namespace {

template <class F, class Exact>
double LargestUlpError(F function, Exact exact, float low, float high) {
  double worst = 0;
  for (uint32_t bits = BitsOf(low); bits <= BitsOf(high); bits += 499)
    for (float x : {simd::FloatOf(bits), -simd::FloatOf(bits)})
      worst = std::max(worst, UlpError(exact(static_cast<double>(x)), function(x)));
  return worst;
}

TEST(Elementary, ErfIsAccurateToTwoUlp) {
  EXPECT_LE(LargestUlpError([](float x) { return simd::Erf(x); }, [](double x) { return std::erf(x); }, 1e-30f, 9.0f),
            2.0);
}

TEST(Elementary, ExpIsAccurateToOneUlpInDenormalsToo) {
  EXPECT_LE(LargestUlpError([](float x) { return simd::Exp(x); }, [](double x) { return std::exp(x); }, 80.0f, 104.0f),
            1.0);
  EXPECT_LE(LargestUlpError([](float x) { return simd::Exp(x); }, [](double x) { return std::exp(x); }, 1e-20f, 90.0f),
            1.0);
}

TEST(Elementary, ErfIsOddAndSaturates) {
  EXPECT_EQ(simd::Erf(INFINITY), 1.0f);
  EXPECT_EQ(simd::Erf(-5.0f), -1.0f);
  EXPECT_TRUE(SameFloat(simd::Erf(-0.0f), -0.0f));
  EXPECT_TRUE(std::isnan(simd::Erf(NAN)));
  for (float x : RandomFloats(1000, 1, 0.0f, 5.0f)) ASSERT_EQ(simd::Erf(-x), -simd::Erf(x));
}

TEST(Elementary, MonotoneAcrossTheSeams) {
  const auto check = [](auto f, float seam) {
    float before = -INFINITY;
    for (uint32_t bits = BitsOf(seam) - 2000; bits < BitsOf(seam) + 2000; bits++) {
      const float y = f(simd::FloatOf(bits));
      ASSERT_GE(y, before - 0x1p-23f);
      before = y;
    }
  };
  check([](float x) { return simd::Erf(x); }, 0.921875f);
  check([](float x) { return simd::Tanh(x); }, 0.625f);
}

}  // namespace
}  // namespace lowp::test
