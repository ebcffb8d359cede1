// The double-based multiply-add against std::fmaf, bit by bit.
#include "kernels/common/exact_fma.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace lowp::test {
namespace {

uint32_t BitsOf(float v) {
  uint32_t bits;
  std::memcpy(&bits, &v, sizeof(bits));
  return bits;
}

void Check(float a, float b, float c) {
  const float expected = std::fmaf(a, b, c), found = ExactFma(a, b, c);
  const float factors[2] = {b, -b};
  float sums[2] = {c, c};
  ExactFma(a, factors, sums);
  if (std::isnan(expected)) {
    ASSERT_TRUE(std::isnan(found) && std::isnan(sums[0]));
    return;
  }
  ASSERT_EQ(BitsOf(found), BitsOf(expected)) << a << " * " << b << " + " << c;
  ASSERT_EQ(BitsOf(sums[0]), BitsOf(expected)) << a << " * " << b << " + " << c;
  ASSERT_EQ(BitsOf(sums[1]), BitsOf(std::fmaf(a, -b, c))) << a << " * " << -b << " + " << c;
}

TEST(ExactFma, AgreesOnRandomBitPatterns) {
  std::mt19937 random(1);
  for (int i = 0; i < 300000; i++) {
    float v[3];
    for (float& f : v) {
      const uint32_t bits = static_cast<uint32_t>(random());
      std::memcpy(&f, &bits, sizeof(f));
    }
    Check(v[0], v[1], v[2]);
  }
}

TEST(ExactFma, AgreesOnSumsNextToTheMiddleOfTwoFloats) {
  std::mt19937 random(2);
  for (int i = 0; i < 100000; i++) {
    // c has 24 bits, a * b is about half of its last place: 2^-24, plus or minus a little below a double's last place.
    const float c = 1.0f + static_cast<float>(random() % (1u << 23)) * 0x1p-23f;
    const float a = 0x1p-12f * (1.0f + static_cast<float>(static_cast<int>(random() % 3) - 1) * 0x1p-23f);
    const float b = 0x1p-12f * (1.0f + static_cast<float>(static_cast<int>(random() % 3) - 1) * 0x1p-23f);
    Check(a, b, c);
    Check(a * 0x1p-100f, b, c * 0x1p-100f);
    Check(0x1p-40f, 0x1p-40f, c);
    Check(a, b, c + 0x1p-23f);
  }
}

TEST(ExactFma, AgreesOnSubnormalSumsZerosAndInfinities) {
  std::mt19937 random(3);
  for (int i = 0; i < 100000; i++) {
    const float a = static_cast<float>(random() % 65536 + 1) * 0x1p-90f;
    const float b = static_cast<float>(random() % 65536 + 1) * 0x1p-75f;
    Check(a, b, static_cast<float>(random() % 4096) * 0x1p-149f);
    Check(-a, b, static_cast<float>(random() % 4096) * 0x1p-149f);
  }
  const float infinity = std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::max();
  for (float a : {0.0f, -0.0f, 1.0f, -1.0f, most, infinity, -infinity, 1e-45f})
    for (float b : {0.0f, -0.0f, 1.0f, 0x1p-24f, most, infinity, 1e-45f})
      for (float c : {0.0f, -0.0f, 1.0f, most, -most, infinity, 1e-45f, -1e-45f}) Check(a, b, c);
}

TEST(ExactFma, SeesEverySumThatRoundsTwice) {
  EXPECT_TRUE(RoundsTwice(1.0 + 0x1p-24));
  EXPECT_FALSE(RoundsTwice(1.0 + 0x1p-24 + 0x1p-52));
  EXPECT_TRUE(RoundsTwice(0x1p-127));
  EXPECT_FALSE(RoundsTwice(0.0));
}

}  // namespace
}  // namespace lowp::test
