// Tests of `dequantize`: its definition element by element, and every row against it.
#include "kernels/dequantize/dequantize.h"

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

struct Case {
  DequantizeParams p{};
  std::vector<uint8_t> x;
  std::vector<float> scale, zero_point;

  CallSpec Spec(std::vector<Buffer>* hold, const Buffer* y) const {
    hold->clear();
    hold->push_back(Buffer::U8(x));
    hold->push_back(Buffer::F32(scale));
    hold->push_back(Buffer::F32(zero_point));
    CallSpec spec{&kernel_dequantize, &p, {}, {false, true, true}, {y}};
    for (const Buffer& b : *hold) spec.inputs.push_back(&b);
    return spec;
  }
  std::vector<float> Run(Isa isa) const {
    Buffer y(ElementType::kF32, size_t{p.batch} * p.spatial * p.channels);
    std::vector<Buffer> hold;
    RunCall(Spec(&hold, &y), isa);
    return y.to_vector<float>();
  }
  Status Check() const {
    Buffer y(ElementType::kF32, size_t{p.batch} * p.spatial * p.channels);
    std::vector<Buffer> hold;
    return ValidateOnly(Spec(&hold, &y));
  }
};

Case MakeCase(DequantizeParams p, bool per_channel, unsigned seed) {
  Case c;
  c.p = p;
  c.x = RandomBytes(size_t{p.batch} * p.spatial * p.in_stride, seed);
  c.scale = RandomFloats(per_channel ? p.channels : 1, seed + 1, -0.1f, 0.1f);
  c.zero_point = RandomFloats(per_channel ? p.channels : 1, seed + 2, 0.0f, 255.0f);
  return c;
}

std::vector<float> Reference(const Case& c) {
  const DequantizeParams& p = c.p;
  std::vector<float> y(size_t{p.batch} * p.spatial * p.channels);
  for (size_t b = 0; b < p.batch; b++)
    for (size_t s = 0; s < p.spatial; s++)
      for (size_t ch = 0; ch < p.channels; ch++) {
        const size_t to = p.layout == 0 ? (b * p.spatial + s) * p.channels + ch : (b * p.channels + ch) * p.spatial + s;
        const float shifted = c.x[(b * p.spatial + s) * p.in_stride + ch] - c.zero_point[ch % c.zero_point.size()];
        y[to] = shifted * c.scale[ch % c.scale.size()];
      }
  return y;
}

TEST(Dequantize, SubtractsTheZeroPointThenScales) {
  Case c;
  c.p = {1, 2, 2, 0, 3};
  c.x = {128, 0, 99, 255, 10, 99};
  c.scale = {0.5f, 2.0f};
  c.zero_point = {128.0f, 10.0f};
  for (Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats({0.0f, -20.0f, 63.5f, 0.0f}, c.Run(isa))) << IsaName(isa);
  c.p.layout = 1;
  for (Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats({0.0f, 63.5f, -20.0f, 0.0f}, c.Run(isa))) << IsaName(isa);
}

TEST(Dequantize, EveryRowGivesTheDefinition) {
  unsigned seed = 1;
  for (uint32_t layout : {0u, 1u})
    for (uint32_t channels : {1u, 2u, 3u, 4u, 5u, 8u, 17u, 64u, 70u})
      for (uint32_t pad : {0u, 1u, 3u})
        for (uint32_t spatial : {0u, 1u, 2u, 15u, 33u, 70u}) {
          const Case c = MakeCase({2, channels, spatial, layout, channels + pad}, seed % 3 != 0, seed);
          const std::vector<float> expected = Reference(c);
          for (Isa isa : RunnableIsas())
            ASSERT_TRUE(SameFloats(expected, c.Run(isa))) << IsaName(isa) << " layout " << layout << " channels "
                                                          << channels << " pad " << pad << " spatial " << spatial;
          seed++;
        }
}

TEST(Dequantize, TailsAndSeveralTiles) {
  for (uint32_t n : {0u, 1u, 7u, 8u, 9u, 15u, 16u, 17u, 63u, 64u, 65u, 70u, 40000u}) {
    const Case c = MakeCase({1, 1, n, 0, 1}, false, n + 1);
    const Case image = MakeCase({2, 3, n, 1, 4}, true, n + 2);
    for (Isa isa : RunnableIsas()) {
      ASSERT_TRUE(SameFloats(Reference(c), c.Run(isa))) << IsaName(isa) << " " << n;
      ASSERT_TRUE(SameFloats(Reference(image), image.Run(isa))) << IsaName(isa) << " " << n;
    }
  }
}

TEST(Dequantize, RefusesBadCalls) {
  const Case good = MakeCase({2, 3, 5, 1, 4}, true, 1);
  EXPECT_TRUE(good.Check().ok());
  const auto refuses = [&](auto change) {
    Case bad = good;
    change(bad);
    return !bad.Check().ok();
  };
  EXPECT_TRUE(refuses([](Case& c) { c.p.layout = 2; }));
  EXPECT_TRUE(refuses([](Case& c) { c.p.channels = 0; }));
  EXPECT_TRUE(refuses([](Case& c) { c.p.in_stride = 2; }));
  EXPECT_TRUE(refuses([](Case& c) { c.x.pop_back(); }));
  EXPECT_TRUE(refuses([](Case& c) { c.scale.pop_back(); }));
  EXPECT_TRUE(refuses([](Case& c) { c.zero_point.push_back(0.0f); }));
  std::vector<Buffer> hold;
  Buffer wrong_type(ElementType::kI32, 30), short_y(ElementType::kF32, 29);
  EXPECT_FALSE(ValidateOnly(good.Spec(&hold, &wrong_type)).ok());
  EXPECT_FALSE(ValidateOnly(good.Spec(&hold, &short_y)).ok());
  CallSpec spec = good.Spec(&hold, &short_y);
  DequantizeParams huge{~0u, ~0u, ~0u, 0, ~0u};
  spec.params = &huge;
  EXPECT_FALSE(ValidateOnly(spec).ok());
}

}  // namespace
}  // namespace lowp::test
