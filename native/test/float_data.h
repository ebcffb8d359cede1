// Float inputs for kernel tests and the comparison of float outputs.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace lowp::test {

inline uint32_t BitsOf(float v) {
  uint32_t bits;
  std::memcpy(&bits, &v, sizeof(bits));
  return bits;
}

// Values at which float code goes wrong: zeros, denormals, halves, ends of the range, infinities, NaN.
inline std::vector<float> SpecialFloats() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {0.0f,
          -0.0f,
          0.5f,
          -0.5f,
          1.5f,
          2.5f,
          -1.5f,
          3.0f,
          -3.0f,
          254.5f,
          255.5f,
          255.0f,
          256.0f,
          1e-45f,
          -1e-45f,
          1e-39f,
          -1e-39f,
          1.17549435e-38f,
          3.4e38f,
          -3.4e38f,
          2147483648.0f,
          -2147483648.0f,
          4e9f,
          -4e9f,
          88.8f,
          -88.8f,
          -103.9f,
          -104.1f,
          89.1f,
          1e-7f,
          -1e-7f,
          0.625f,
          -0.625f,
          0.921875f,
          kInfinity,
          -kInfinity,
          std::numeric_limits<float>::quiet_NaN(),
          -std::numeric_limits<float>::quiet_NaN(),
          8388609.0f,
          1.0f,
          -1.0f};
}

// n values uniform in [low, high); with `specials`, one in eight is a special value.
inline std::vector<float> RandomFloats(size_t n, unsigned seed, float low, float high, bool specials = false) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  const std::vector<float> special = SpecialFloats();
  std::vector<float> out(n);
  for (float& v : out) v = specials && random() % 8 == 0 ? special[random() % special.size()] : uniform(random);
  return out;
}

inline std::vector<uint8_t> RandomBytes(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> out(n);
  for (uint8_t& v : out) v = static_cast<uint8_t>(random());
  return out;
}

// Equal bits, or NaN on both sides: payloads of NaN are nobody's business.
inline bool SameFloat(float a, float b) { return BitsOf(a) == BitsOf(b) || (std::isnan(a) && std::isnan(b)); }

inline ::testing::AssertionResult SameFloats(const std::vector<float>& expected, const std::vector<float>& actual) {
  if (expected.size() != actual.size()) return ::testing::AssertionFailure() << "different sizes";
  for (size_t i = 0; i < expected.size(); i++)
    if (!SameFloat(expected[i], actual[i]))
      return ::testing::AssertionFailure()
             << "at " << i << ": expected " << std::hexfloat << expected[i] << ", found " << actual[i];
  return ::testing::AssertionSuccess();
}

// |actual - exact| in units of the last place of exact's float neighbourhood; 0 when both are the same infinity or NaN.
inline double UlpError(double exact, float actual) {
  if (std::isnan(exact) || std::isnan(actual)) return std::isnan(exact) && std::isnan(actual) ? 0 : INFINITY;
  const float rounded = static_cast<float>(exact);
  if (std::isinf(rounded) || std::isinf(actual)) return rounded == actual ? 0 : INFINITY;
  int exponent = 0;
  std::frexp(exact, &exponent);
  const double ulp = std::ldexp(1.0, std::max(exponent, -125) - 24);
  return std::fabs(exact - static_cast<double>(actual)) / ulp;
}

}  // namespace lowp::test
