// Tests of `layer_norm`: against double, the documented order, and every row against the scalar row.
#include "kernels/layer_norm/layer_norm.h"

#include <algorithm>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

struct Data {
  Buffer x, gamma, beta;
};

Data MakeData(const LayerNormParams& p, unsigned seed, bool affine, bool specials = false) {
  Data d;
  d.x = Buffer::F32(RandomFloats(size_t{p.rows} * p.columns, seed, -3.0f, 5.0f, specials));
  if (affine) {
    d.gamma = Buffer::F32(RandomFloats(p.columns, seed + 1, 0.5f, 2.0f));
    d.beta = Buffer::F32(RandomFloats(p.columns, seed + 2, -1.0f, 1.0f));
  }
  return d;
}

LayerNormParams Make(uint32_t rows, uint32_t columns) {
  LayerNormParams p = {};
  p.rows = rows, p.columns = columns, p.variance = 1, p.eps = 1e-5f;
  p.inv_scale = 30.0f, p.shift = 128.0f, p.byte_low = 1, p.byte_high = 254;
  return p;
}

std::vector<float> Compute(const LayerNormParams& p, const Data& d, Isa isa) {
  Buffer y(ElementType::kF32, size_t{p.rows} * p.columns);
  RunCall({&kernel_layer_norm, &p, {&d.x, &d.gamma, &d.beta}, {}, {&y}}, isa);
  return y.to_vector<float>();
}

// A few roundings of sums of 32 chains: 2^-18 of the largest value is ample for 1500 columns.
TEST(LayerNorm, IsCloseToDouble) {
  for (uint32_t columns : {1u, 5u, 64u, 768u, 1500u})
    for (uint32_t outside : {0u, 1u}) {
      LayerNormParams p = Make(3, columns);
      p.outside = outside;
      const Data d = MakeData(p, columns, true);
      const std::vector<float> y = Compute(p, d, ActiveIsa());
      for (size_t r = 0; r < p.rows; r++) {
        const float* x = d.x.as<float>() + r * columns;
        double mean = 0, variance = 0;
        for (size_t i = 0; i < columns; i++) mean += double{x[i]} / columns;
        for (size_t i = 0; i < columns; i++) variance += (x[i] - mean) * (x[i] - mean) / columns;
        const double root = outside ? std::sqrt(variance) + p.eps : std::sqrt(variance + p.eps);
        for (size_t i = 0; i < columns; i++) {
          const double exact = (x[i] - mean) / root * d.gamma.as<float>()[i] + d.beta.as<float>()[i];
          ASSERT_NEAR(exact, y[r * columns + i], 10 * 0x1p-18) << columns;
        }
      }
    }
}

// The order of layer_norm.h, written apart from the kernel.
TEST(LayerNorm, AddsThirtyTwoLanesInOrder) {
  const LayerNormParams p = Make(1, 83);
  const Data d = MakeData(p, 7, true);
  const float* x = d.x.as<float>();
  const auto fold = [](float(&s)[32]) {
    for (size_t half : {16, 8, 4, 2, 1})
      for (size_t j = 0; j < half; j++) s[j] += s[j + half];
    return s[0];
  };
  float s[32] = {}, v[32] = {};
  for (size_t i = 0; i < 83; i++) s[i % 32] += x[i];
  const float mean = fold(s) / 83.0f;
  for (size_t i = 0; i < 83; i++) v[i % 32] = std::fma(x[i] - mean, x[i] - mean, v[i % 32]);
  const float factor = 1.0f / std::sqrt(fold(v) / 83.0f + p.eps);
  std::vector<float> expected;
  for (size_t i = 0; i < 83; i++)
    expected.push_back(std::fma((x[i] - mean) * factor, d.gamma.as<float>()[i], d.beta.as<float>()[i]));
  for (Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats(expected, Compute(p, d, isa))) << IsaName(isa);
}

TEST(LayerNorm, EveryRowGivesTheBitsOfTheScalarRow) {
  for (uint32_t columns = 1; columns <= 140; columns++)
    for (bool affine : {false, true}) {
      LayerNormParams p = Make(3, columns);
      p.variance = columns % 5 != 0;
      p.outside = columns % 3 == 0;
      const Data d = MakeData(p, columns, affine, columns % 4 == 1);
      const std::vector<float> expected = Compute(p, d, Isa::kScalar);
      for (Isa isa : RunnableIsas())
        ASSERT_TRUE(SameFloats(expected, Compute(p, d, isa))) << IsaName(isa) << " columns " << columns;
    }
  const LayerNormParams wide = Make(70, 1000);
  const Data d = MakeData(wide, 3, true);
  for (Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats(Compute(wide, d, Isa::kScalar), Compute(wide, d, isa)));
}

TEST(LayerNorm, StoresBytesAloneOrBesideFloats) {
  for (uint32_t columns : {1u, 7u, 32u, 63u, 64u, 65u, 200u, 768u}) {
    const LayerNormParams p = Make(4, columns);
    const Data d = MakeData(p, columns, true, columns % 2 == 1);
    const std::vector<float> y = Compute(p, d, Isa::kScalar);
    std::vector<uint8_t> expected;
    for (float v : y) {
      const float r = std::nearbyint(std::fma(v, p.inv_scale, p.shift));
      expected.push_back(std::isnan(r) || r < 1.0f ? 1 : r > 254.0f ? 254 : static_cast<uint8_t>(r));
    }
    for (Isa isa : RunnableIsas()) {
      Buffer alone(ElementType::kU8, y.size()), bytes(ElementType::kU8, y.size()), floats(ElementType::kF32, y.size());
      RunCall({&kernel_layer_norm, &p, {&d.x, &d.gamma, &d.beta}, {}, {&alone}}, isa);
      RunCall({&kernel_layer_norm, &p, {&d.x, &d.gamma, &d.beta}, {}, {&floats, &bytes}}, isa);
      ASSERT_EQ(expected, alone.to_vector<uint8_t>()) << IsaName(isa) << " columns " << columns;
      ASSERT_EQ(expected, bytes.to_vector<uint8_t>()) << IsaName(isa) << " columns " << columns;
      ASSERT_TRUE(SameFloats(y, floats.to_vector<float>()));
    }
  }
}

TEST(LayerNorm, WorksInPlaceAndOnlySubtracts) {
  LayerNormParams p = Make(5, 37);
  p.variance = 0;
  const Data d = MakeData(p, 3, false);
  const std::vector<float> expected = Compute(p, d, Isa::kScalar);
  for (Isa isa : RunnableIsas()) {
    Buffer data = Buffer::F32(d.x.to_vector<float>());
    RunCall({&kernel_layer_norm, &p, {&data}, {}, {&data}}, isa);
    EXPECT_TRUE(SameFloats(expected, data.to_vector<float>()));
  }
}

TEST(LayerNorm, RefusesBadCalls) {
  const LayerNormParams good = Make(2, 5);
  const Buffer x(ElementType::kF32, 10), other(ElementType::kF32, 9), bytes(ElementType::kU8, 10),
      gamma(ElementType::kF32, 5), absent;
  const auto ok = [&](const LayerNormParams& p, std::vector<const Buffer*> in, std::vector<const Buffer*> out) {
    return ValidateOnly({&kernel_layer_norm, &p, in, {}, out}).ok();
  };
  EXPECT_TRUE(ok(good, {&x}, {&x}));
  EXPECT_TRUE(ok(good, {&x, &gamma, &gamma}, {&x, &bytes}));
  EXPECT_TRUE(ok(good, {&x, &gamma}, {&bytes}));
  EXPECT_FALSE(ok(good, {&other}, {&x}));
  EXPECT_FALSE(ok(good, {&x}, {&other}));
  EXPECT_FALSE(ok(good, {&x, &x}, {&x}));
  EXPECT_FALSE(ok(good, {&x, &absent, &gamma}, {&x}));
  EXPECT_FALSE(ok(good, {&x}, {&bytes, &bytes}));
  EXPECT_FALSE(ok(good, {&x}, {&x, &x}));
  LayerNormParams bad = good;
  bad.columns = 0;
  EXPECT_FALSE(ok(bad, {&x}, {&x}));
  bad = good;
  bad.outside = 2;
  EXPECT_FALSE(ok(bad, {&x}, {&x}));
  bad = good;
  bad.byte_high = 256;
  EXPECT_FALSE(ok(bad, {&x}, {&x}));
  bad = good;
  bad.rows = bad.columns = UINT32_MAX;
  EXPECT_FALSE(ok(bad, {&x}, {&x}));
}

}  // namespace
}  // namespace lowp::test
