// Tests of `fake_quantize`: the formula of FakeQuantize-1 step by step, its edge cases, and every row against it.
#include "kernels/fake_quantize/fake_quantize.h"

#include <algorithm>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

struct Case {
  FakeQuantizeParams p{};
  std::vector<float> x, limits[4];

  CallSpec Spec(std::vector<Buffer>* hold, const Buffer* y) const {
    hold->clear();
    hold->push_back(Buffer::F32(x));
    for (const auto& l : limits) hold->push_back(Buffer::F32(l));
    CallSpec spec{&kernel_fake_quantize, &p, {}, {false, true, true, true, true}, {y}};
    for (const Buffer& b : *hold) spec.inputs.push_back(&b);
    return spec;
  }
  std::vector<float> Run(Isa isa) const {
    Buffer y(ElementType::kF32, x.size());
    std::vector<Buffer> hold;
    RunCall(Spec(&hold, &y), isa);
    return y.to_vector<float>();
  }
  bool Ok() const {
    Buffer y(ElementType::kF32, size_t{p.outer} * p.channels * p.inner);
    std::vector<Buffer> hold;
    return ValidateOnly(Spec(&hold, &y)).ok();
  }
};

float Expected(float x, float il, float ih, float ol, float oh, uint32_t levels) {
  if (x <= std::min(il, ih)) return ol;
  if (x > std::max(il, ih)) return oh;
  const float steps = static_cast<float>(levels - 1);
  const float offset = x - il, range = ih - il;
  const float ratio = offset / range;
  const float scaled = ratio * steps;
  const float level = std::nearbyint(scaled);
  const float back = level / steps;
  const float wide = back * (oh - ol);
  return wide + ol;
}

std::vector<float> Reference(const Case& c) {
  std::vector<float> y;
  for (size_t i = 0; i < c.x.size(); i++) {
    const size_t channel = i / c.p.inner % c.p.channels;
    const auto limit = [&](size_t k) { return c.limits[k][channel % c.limits[k].size()]; };
    y.push_back(Expected(c.x[i], limit(0), limit(1), limit(2), limit(3), c.p.levels));
  }
  return y;
}

Case MakeCase(FakeQuantizeParams p, bool per_channel, unsigned seed) {
  Case c;
  c.p = p;
  c.x = RandomFloats(size_t{p.outer} * p.channels * p.inner, seed, -6.0f, 6.0f, true);
  const size_t n = per_channel ? p.channels : 1;
  c.limits[0] = RandomFloats(n, seed + 1, -5.0f, -1.0f);
  c.limits[1] = RandomFloats(n, seed + 2, 1.0f, 5.0f);
  c.limits[2] = RandomFloats(seed % 2 ? n : 1, seed + 3, -5.0f, -1.0f);
  c.limits[3] = RandomFloats(n, seed + 4, 1.0f, 5.0f);
  return c;
}

Case ByHand(std::vector<float> x, float il, float ih, float ol, float oh, uint32_t levels) {
  Case c;
  c.p = {1, 1, static_cast<uint32_t>(x.size()), levels};
  c.x = std::move(x);
  const float limits[] = {il, ih, ol, oh};
  for (size_t i = 0; i < 4; i++) c.limits[i] = {limits[i]};
  return c;
}

TEST(FakeQuantize, EdgeCasesByHand) {
  for (Isa isa : RunnableIsas()) {
    // Ties count from input_low: 0.5 and 2.5 of [0, 4] go to the even level.
    EXPECT_TRUE(SameFloats(
        {0, 0, 2, 2, 4, 4, 0, 4, NAN, 0},
        ByHand({0.0f, 0.5f, 1.5f, 2.5f, 3.5f, 9.0f, -INFINITY, INFINITY, NAN, -0.0f}, 0, 4, 0, 4, 5).Run(isa)));
    // No interior: a threshold.
    EXPECT_TRUE(SameFloats({-1, -1, 1, NAN}, ByHand({0.0f, 1.0f, 1.5f, NAN}, 1, 1, -1, 1, 2).Run(isa)));
    // Inverted input: saturation by the ordered limits, interior by the given ones.
    EXPECT_TRUE(SameFloats({10, 14, 12, 13, 11}, ByHand({-1.0f, 5.0f, 2.0f, 1.0f, 3.0f}, 4, 0, 10, 14, 5).Run(isa)));
    // Mirrored and constant output.
    EXPECT_TRUE(SameFloats({4, 3, 0}, ByHand({0.0f, 1.0f, 4.0f}, 0, 4, 4, 0, 5).Run(isa)));
    EXPECT_TRUE(SameFloats({2, 2, 2}, ByHand({0.0f, 1.0f, 9.0f}, 0, 4, 2, 2, 5).Run(isa)));
  }
}

TEST(FakeQuantize, EveryRowGivesTheDefinition) {
  unsigned seed = 1;
  for (uint32_t channels : {1u, 2u, 3u, 8u, 17u, 64u, 70u})
    for (uint32_t inner : {0u, 1u, 2u, 15u, 16u, 33u, 70u})
      for (uint32_t levels : {2u, 16u, 255u, 256u, 65536u}) {
        const Case c = MakeCase({3, channels, inner, levels}, seed % 4 != 0, seed);
        const std::vector<float> expected = Reference(c);
        for (Isa isa : RunnableIsas())
          ASSERT_TRUE(SameFloats(expected, c.Run(isa))) << IsaName(isa) << " channels " << channels << " inner "
                                                        << inner << " levels " << levels << " seed " << seed;
        seed++;
      }
}

TEST(FakeQuantize, TailsAndSeveralTiles) {
  for (uint32_t n = 0; n <= 70; n++) {
    const Case c = MakeCase({n, 1, 1, 256}, false, n), cyclic = MakeCase({n, 7, 1, 256}, true, n);
    for (Isa isa : RunnableIsas()) {
      ASSERT_TRUE(SameFloats(Reference(c), c.Run(isa))) << IsaName(isa) << " " << n;
      ASSERT_TRUE(SameFloats(Reference(cyclic), cyclic.Run(isa))) << IsaName(isa) << " " << n;
    }
  }
  for (const Case& c : {MakeCase({2, 3, 20011, 255}, true, 5), MakeCase({2003, 24, 1, 255}, true, 6)})
    for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(Reference(c), c.Run(isa))) << IsaName(isa);
}

TEST(FakeQuantize, RefusesBadCalls) {
  const Case good = MakeCase({2, 3, 4, 256}, true, 1);
  EXPECT_TRUE(good.Ok());
  const auto refuses = [&](auto change) {
    Case bad = good;
    change(bad);
    return !bad.Ok();
  };
  EXPECT_TRUE(refuses([](Case& c) { c.p.levels = 1; }));
  EXPECT_TRUE(refuses([](Case& c) { c.p.levels = (1u << 24) + 1; }));
  EXPECT_TRUE(refuses([](Case& c) { c.p.channels = 0; }));
  EXPECT_TRUE(refuses([](Case& c) { c.x.pop_back(); }));
  for (size_t i = 0; i < 4; i++) EXPECT_TRUE(refuses([i](Case& c) { c.limits[i] = {1.0f, 2.0f}; }));
  std::vector<Buffer> hold;
  Buffer y(ElementType::kF32, 24), wrong_type(ElementType::kI32, 24);
  EXPECT_FALSE(ValidateOnly(good.Spec(&hold, &wrong_type)).ok());
  CallSpec spec = good.Spec(&hold, &y);
  spec.constant[3] = false;
  EXPECT_FALSE(ValidateOnly(spec).ok());
}

}  // namespace
}  // namespace lowp::test
