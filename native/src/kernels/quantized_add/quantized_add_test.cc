// Tests of `quantized_add`: its definition for both output types, and every row against it.
#include "kernels/quantized_add/quantized_add.h"

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

std::vector<float> RunF32(const QuantizedAddParams& p, const std::vector<uint8_t>& a, const std::vector<uint8_t>& b,
                          Isa isa) {
  const Buffer ba = Buffer::U8(a), bb = Buffer::U8(b);
  Buffer y(ElementType::kF32, a.size());
  RunCall({&kernel_quantized_add, &p, {&ba, &bb}, {}, {&y}}, isa);
  return y.to_vector<float>();
}

std::vector<uint8_t> RunU8(const QuantizedAddParams& p, const std::vector<uint8_t>& a, const std::vector<uint8_t>& b,
                           Isa isa) {
  const Buffer ba = Buffer::U8(a), bb = Buffer::U8(b);
  Buffer y(ElementType::kU8, a.size());
  RunCall({&kernel_quantized_add, &p, {&ba, &bb}, {}, {&y}}, isa);
  return y.to_vector<uint8_t>();
}

float Sum(const QuantizedAddParams& p, uint8_t a, uint8_t b) {
  return std::fma(static_cast<float>(a), p.scale_a, std::fma(static_cast<float>(b), p.scale_b, p.bias));
}

void ExpectDefinition(const QuantizedAddParams& p, const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  std::vector<float> floats;
  std::vector<uint8_t> codes;
  for (size_t i = 0; i < a.size(); i++) {
    const float v = Sum(p, a[i], b[i]);
    const float raised = v > p.float_low ? v : p.float_low;
    floats.push_back(raised < p.float_high ? raised : p.float_high);
    const int q = std::isnan(v) ? 0 : static_cast<int>(std::nearbyint(std::min(255.0, std::max(0.0, double{v}))));
    codes.push_back(static_cast<uint8_t>(std::min<int>(std::max<int>(q, p.low), p.high)));
  }
  for (Isa isa : RunnableIsas()) {
    ASSERT_TRUE(SameFloats(floats, RunF32(p, a, b, isa))) << IsaName(isa) << " " << a.size();
    ASSERT_EQ(codes, RunU8(p, a, b, isa)) << IsaName(isa) << " " << a.size();
  }
}

TEST(QuantizedAdd, AddsByHand) {
  const QuantizedAddParams p{3, 0, 255, 0.5f, 1.0f, -10.0f, -1.0f, 100.0f};
  for (Isa isa : RunnableIsas()) {
    EXPECT_EQ(RunU8(p, {1, 4, 255}, {12, 3, 255}, isa), (std::vector<uint8_t>{2, 0, 255})) << IsaName(isa);
    EXPECT_TRUE(SameFloats({2.5f, -1.0f, 100.0f}, RunF32(p, {1, 4, 255}, {12, 3, 255}, isa))) << IsaName(isa);
  }
}

TEST(QuantizedAdd, EveryTailAndSeveralTiles) {
  for (uint32_t n = 0; n <= 141; n++) {
    const uint32_t size = n == 141 ? 40001 : n;
    ExpectDefinition({size, n % 3, 255 - n % 7, 0.37f, 0.81f, -30.0f, 1.0f, 200.0f}, RandomBytes(size, n),
                     RandomBytes(size, n + 1000));
  }
}

TEST(QuantizedAdd, OddScalesSaturate) {
  const std::vector<uint8_t> a = RandomBytes(300, 1), b = RandomBytes(300, 2);
  for (float scale : {-3.0f, 1e9f, -1e30f, INFINITY, 1e-42f, NAN})
    ExpectDefinition({300, 0, 255, scale, 1.0f, 0.5f, -INFINITY, INFINITY}, a, b);
  ExpectDefinition({300, 200, 100, 1.0f, 1.0f, 0.5f, 5.0f, -5.0f}, a, b);
}

TEST(QuantizedAdd, RefusesBadCalls) {
  const QuantizedAddParams p{10, 0, 255, 1, 1, 0, 0, 0};
  const Buffer a(ElementType::kU8, 10), other(ElementType::kU8, 9), signed_bytes(ElementType::kI8, 10);
  const auto ok = [](const QuantizedAddParams& q, const Buffer& x, const Buffer& b, const Buffer& y) {
    return ValidateOnly({&kernel_quantized_add, &q, {&x, &b}, {}, {&y}}).ok();
  };
  EXPECT_TRUE(ok(p, a, a, a));
  EXPECT_FALSE(ok(p, other, a, a));
  EXPECT_FALSE(ok(p, a, other, a));
  EXPECT_FALSE(ok(p, a, a, other));
  EXPECT_FALSE(ok(p, signed_bytes, a, a));
  EXPECT_FALSE(ok(p, a, a, signed_bytes));
  EXPECT_FALSE(ok({10, 256, 255, 1, 1, 0, 0, 0}, a, a, a));
  EXPECT_FALSE(ok({10, 0, 256, 1, 1, 0, 0, 0}, a, a, a));
}

}  // namespace
}  // namespace lowp::test
