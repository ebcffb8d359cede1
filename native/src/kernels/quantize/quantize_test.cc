// Tests of `quantize`: its definition element by element, and every row against the scalar row.
#include "kernels/quantize/quantize.h"

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

struct Case {
  QuantizeParams p{};
  std::vector<float> x, inv_scale, shift;
  std::vector<uint8_t> bounds;

  CallSpec Spec(std::vector<Buffer>* hold, const Buffer* y) const {
    hold->clear();
    hold->push_back(Buffer::F32(x));
    hold->push_back(Buffer::F32(inv_scale));
    hold->push_back(Buffer::F32(shift));
    hold->push_back(bounds.empty() ? Buffer::Absent() : Buffer::U8(bounds));
    CallSpec spec{&kernel_quantize, &p, {}, {false, true, true, true}, {y}};
    for (const Buffer& b : *hold) spec.inputs.push_back(&b);
    return spec;
  }
  std::vector<uint8_t> Run(Isa isa, std::string* row = nullptr) const {
    Buffer y(ElementType::kU8, size_t{p.batch} * p.spatial * p.out_stride);
    std::vector<Buffer> hold;
    const std::string name = RunCall(Spec(&hold, &y), isa);
    if (row) *row = name;
    return y.to_vector<uint8_t>();
  }
  Status Check() const {
    Buffer y(ElementType::kU8, size_t{p.batch} * p.spatial * p.out_stride);
    std::vector<Buffer> hold;
    return ValidateOnly(Spec(&hold, &y));
  }
};

Case MakeCase(QuantizeParams p, bool per_channel, bool bounds, unsigned seed) {
  Case c;
  c.p = p;
  c.x = RandomFloats(size_t{p.batch} * p.spatial * p.channels, seed, -20.0f, 20.0f, true);
  c.inv_scale = RandomFloats(per_channel ? p.channels : 1, seed + 1, 1.0f, 12.0f);
  c.shift = RandomFloats(per_channel ? p.channels : 1, seed + 2, 0.0f, 255.0f);
  for (float& s : c.shift) s = std::nearbyint(s);
  if (bounds) c.bounds = RandomBytes(2 * p.channels, seed + 3);
  return c;
}

// The definition in double, where one product and sum of floats is exact enough to round as fma does.
uint8_t Expected(const Case& c, float x, size_t channel) {
  const float v = std::fma(x, c.inv_scale[channel % c.inv_scale.size()], c.shift[channel % c.shift.size()]);
  int q = std::isnan(v) ? 0 : static_cast<int>(std::nearbyint(std::min(255.0, std::max(0.0, double{v}))));
  if (!c.bounds.empty()) q = std::min<int>(std::max<int>(q, c.bounds[channel]), c.bounds[c.p.channels + channel]);
  return static_cast<uint8_t>(q);
}

std::vector<uint8_t> Reference(const Case& c) {
  const QuantizeParams& p = c.p;
  std::vector<uint8_t> y(size_t{p.batch} * p.spatial * p.out_stride, static_cast<uint8_t>(p.pad_value));
  for (size_t b = 0; b < p.batch; b++)
    for (size_t s = 0; s < p.spatial; s++)
      for (size_t ch = 0; ch < p.channels; ch++) {
        const size_t from =
            p.layout == 0 ? (b * p.spatial + s) * p.channels + ch : (b * p.channels + ch) * p.spatial + s;
        y[(b * p.spatial + s) * p.out_stride + ch] = Expected(c, c.x[from], ch);
      }
  return y;
}

TEST(Quantize, RoundsHalvesToEvenAndSaturates) {
  Case c;
  c.x = {0.5f, 1.5f, 2.5f, -0.5f, -7.0f, 254.5f, 255.5f, 1e30f, -1e30f, NAN, INFINITY, -INFINITY, 4e9f, 3.0f};
  c.p = {1, 1, static_cast<uint32_t>(c.x.size()), 0, 1, 0};
  c.inv_scale = {1.0f};
  c.shift = {0.0f};
  for (Isa isa : RunnableIsas())
    EXPECT_EQ(c.Run(isa), (std::vector<uint8_t>{0, 2, 2, 0, 0, 254, 255, 255, 0, 0, 255, 0, 255, 3})) << IsaName(isa);
  c.bounds = {7, 100};
  for (Isa isa : RunnableIsas())
    EXPECT_EQ(c.Run(isa), (std::vector<uint8_t>{7, 7, 7, 7, 7, 100, 100, 100, 7, 7, 100, 7, 100, 7})) << IsaName(isa);
}

TEST(Quantize, EveryRowGivesTheDefinition) {
  unsigned seed = 1;
  for (uint32_t layout : {0u, 1u})
    for (uint32_t channels : {1u, 2u, 3u, 4u, 5u, 8u, 17u, 63u, 64u, 70u})
      for (uint32_t pad : {0u, 1u, 3u, 9u})
        for (uint32_t spatial : {1u, 2u, 15u, 33u, 70u}) {
          const Case c =
              MakeCase({2, channels, spatial, layout, channels + pad, 77}, seed % 3 != 0, seed % 2 != 0, seed);
          const std::vector<uint8_t> expected = Reference(c);
          for (Isa isa : RunnableIsas())
            ASSERT_EQ(c.Run(isa), expected) << IsaName(isa) << " layout " << layout << " channels " << channels
                                            << " pad " << pad << " spatial " << spatial << " seed " << seed;
          seed++;
        }
}

TEST(Quantize, TailsOfEveryLength) {
  for (uint32_t n = 0; n <= 140; n++) {
    const Case c = MakeCase({1, 1, n, 0, 1, 0}, false, false, n + 1);
    for (Isa isa : RunnableIsas()) ASSERT_EQ(c.Run(isa), Reference(c)) << IsaName(isa) << " " << n;
  }
}

TEST(Quantize, ImagesOverSeveralTiles) {
  const Case c = MakeCase({2, 3, 90 * 91, 1, 4, 5}, true, true, 3);
  const Case dense = MakeCase({1, 24, 4099, 0, 24, 0}, true, false, 4);
  for (Isa isa : RunnableIsas()) {
    EXPECT_EQ(c.Run(isa), Reference(c)) << IsaName(isa);
    EXPECT_EQ(dense.Run(isa), Reference(dense)) << IsaName(isa);
  }
}

TEST(Quantize, RowsFollowTheInstructionSet) {
  const Case c = MakeCase({1, 3, 8, 1, 4, 0}, false, false, 1);
  const char* names[] = {"quantize_f32u8_scalar", "quantize_f32u8_avx2_32", "quantize_f32u8_avx2_32",
                         "quantize_f32u8_avx512_64", "quantize_f32u8_avx512_64", "quantize_f32u8_avx512_64"};
  for (Isa isa : RunnableIsas()) {
    std::string row;
    c.Run(isa, &row);
    EXPECT_EQ(row, names[static_cast<int>(isa)]);
  }
}

TEST(Quantize, RefusesBadCalls) {
  const Case good = MakeCase({2, 3, 5, 1, 4, 9}, true, true, 1);
  EXPECT_TRUE(good.Check().ok());
  const auto refuses = [&](auto change) {
    Case bad = good;
    change(bad);
    return !bad.Check().ok();
  };
  EXPECT_TRUE(refuses([](Case& c) { c.p.layout = 2; }));
  EXPECT_TRUE(refuses([](Case& c) { c.p.channels = 0; }));
  EXPECT_TRUE(refuses([](Case& c) { c.p.out_stride = 2; }));
  EXPECT_TRUE(refuses([](Case& c) { c.p.pad_value = 256; }));
  EXPECT_TRUE(refuses([](Case& c) { c.x.pop_back(); }));
  EXPECT_TRUE(refuses([](Case& c) { c.inv_scale.pop_back(); }));
  EXPECT_TRUE(refuses([](Case& c) { c.shift.push_back(0.0f); }));
  EXPECT_TRUE(refuses([](Case& c) { c.bounds.pop_back(); }));

  std::vector<Buffer> hold;
  Buffer y(ElementType::kU8, 2 * 5 * 4), wrong_type(ElementType::kI8, 2 * 5 * 4), short_y(ElementType::kU8, 39);
  EXPECT_FALSE(ValidateOnly(good.Spec(&hold, &wrong_type)).ok());
  EXPECT_FALSE(ValidateOnly(good.Spec(&hold, &short_y)).ok());
  CallSpec spec = good.Spec(&hold, &y);
  spec.constant = {false, false, true, true};
  EXPECT_FALSE(ValidateOnly(spec).ok()) << "inv_scale must be constant";
  QuantizeParams huge{~0u, ~0u, ~0u, 0, ~0u, 0};
  spec.params = &huge;
  EXPECT_FALSE(ValidateOnly(spec).ok());
}

}  // namespace
}  // namespace lowp::test
