// Depthwise rows against a direct sum, and against the scalar row bit by bit.
#include "kernels/depthwise/depthwise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernel_harness.h"

namespace lowp {
namespace {

using test::Buffer;
using test::CallSpec;
using test::RunCall;
using test::ValidateOnly;

// A call with random operands.
struct Case {
  DepthwiseParams p{};
  bool u8 = true;
  bool u8_output = true;
  bool bias = true;
  bool zero_points = false;
  int residual = 0;  // 1 u8, 2 f32
  bool bounds = false;
  float scale = 0.004f;

  Case(uint32_t channels, uint32_t size, uint32_t kernel, uint32_t stride, uint32_t pad) {
    p.batch = 1;
    p.in_h = size;
    p.in_w = size + 1;
    p.in_c = p.out_c = p.groups = p.in_stride = p.out_stride = channels;
    p.kernel_h = p.kernel_w = kernel;
    p.stride_h = p.stride_w = stride;
    p.dilation_h = p.dilation_w = 1;
    p.pad_top = p.pad_left = pad;
    p.in_zero_point = 117;
    p.low = -HUGE_VALF;
    p.high = HUGE_VALF;
    Fit();
  }
  Case& Float() {
    u8 = u8_output = false;
    return *this;
  }
  // Output sizes for the same padding on both sides.
  Case& Fit() {
    p.out_h = (p.in_h + 2 * p.pad_top - (p.kernel_h - 1) * p.dilation_h - 1) / p.stride_h + 1;
    p.out_w = (p.in_w + 2 * p.pad_left - (p.kernel_w - 1) * p.dilation_w - 1) / p.stride_w + 1;
    return *this;
  }
};

struct Operands {
  Buffer x, weights, bias, scale, residual, bounds, zero_points;

  Operands(const Case& c, unsigned seed) {
    std::mt19937 random(seed);
    const DepthwiseParams& p = c.p;
    const size_t pixels = static_cast<size_t>(p.batch) * p.out_h * p.out_w;
    x = Random(c.u8 ? ElementType::kU8 : ElementType::kF32, 1ul * p.batch * p.in_h * p.in_w * p.in_stride, &random);
    weights = Random(c.u8 ? ElementType::kI8 : ElementType::kF32, 1ul * p.in_c * p.kernel_h * p.kernel_w, &random);
    if (c.bias) bias = Random(ElementType::kF32, p.in_c, &random);
    if (c.bias && c.u8_output)
      for (size_t n = 0; n < p.in_c; n++) bias.as<float>()[n] = bias.as<float>()[n] * 50 + 120;
    if (c.u8) {
      scale = Random(ElementType::kF32, p.in_c, &random);
      for (size_t n = 0; n < p.in_c; n++) scale.as<float>()[n] = c.scale * (1.5f + scale.as<float>()[n]);
    }
    if (c.residual) residual = Random(c.residual == 1 ? ElementType::kU8 : ElementType::kF32, pixels * p.in_c, &random);
    if (c.bounds) {
      bounds = Random(ElementType::kU8, 2ul * p.in_c, &random);
      for (size_t n = 0; n < p.in_c; n++) {
        bounds.data()[n] %= 100;
        bounds.data()[p.in_c + n] = static_cast<uint8_t>(150 + bounds.data()[p.in_c + n] % 100);
      }
    }
    if (c.zero_points) zero_points = Random(ElementType::kU8, p.in_c, &random);
  }

  static Buffer Random(ElementType type, size_t elements, std::mt19937* random) {
    Buffer b(type, elements);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (size_t i = 0; i < elements; i++) {
      if (type == ElementType::kF32) {
        b.as<float>()[i] = uniform(*random);
      } else {
        b.data()[i] = (*random)() % 8 == 0 ? ((*random)() % 2 ? 0x80 : 0xFF) : static_cast<uint8_t>((*random)());
      }
    }
    return b;
  }

  CallSpec Spec(const Case& c, const Buffer* y) const {
    return {&kernel_depthwise,
            &c.p,
            {&x, &weights, &bias, &scale, &residual, &bounds, &zero_points},
            {false, true, true, true, false, true, true},
            {y}};
  }
};

Buffer Output(const Case& c) {
  Buffer y(c.u8_output ? ElementType::kU8 : ElementType::kF32,
           1ul * c.p.batch * c.p.out_h * c.p.out_w * c.p.out_stride);
  std::memset(y.data(), 0x3C, y.bytes());
  return y;
}

float MaxOf(float v, float bound) { return v > bound ? v : bound; }
float MinOf(float v, float bound) { return v < bound ? v : bound; }

// Output n of one pixel, straight from the formulas in depthwise.h and epilogue.h.
void StoreNaive(const Case& c, const Operands& o, float v, size_t pixel, size_t n, Buffer* y) {
  const DepthwiseParams& p = c.p;
  if (p.mid) v = std::fmaf(MinOf(MaxOf(std::nearbyintf(v), p.mid_low), p.mid_high), p.mid_scale, p.mid_bias);
  if (c.residual == 1) v = std::fmaf(o.residual.data()[pixel * p.in_c + n], p.residual_scale, v);
  if (c.residual == 2) v = std::fmaf(o.residual.as<float>()[pixel * p.in_c + n], p.residual_scale, v);
  const size_t at = pixel * p.out_stride + p.out_offset + n;
  if (!c.u8_output) {
    y->as<float>()[at] = MinOf(MaxOf(v, p.low), p.high);
    return;
  }
  double q = std::isnan(v) ? 0.0 : std::nearbyint(std::fmin(std::fmax(static_cast<double>(v), 0.0), 255.0));
  if (c.bounds) q = std::fmin(std::fmax(q, o.bounds.data()[n]), o.bounds.data()[p.in_c + n]);
  y->data()[at] = static_cast<uint8_t>(q);
}

Buffer Naive(const Case& c, const Operands& o) {
  const DepthwiseParams& p = c.p;
  Buffer y = Output(c);
  size_t pixel = 0;
  for (int64_t b = 0; b < p.batch; b++)
    for (int64_t oy = 0; oy < p.out_h; oy++)
      for (int64_t ox = 0; ox < p.out_w; ox++, pixel++)
        for (size_t n = 0; n < p.in_c; n++) {
          int64_t exact = 0;
          float chain = 0;
          for (int64_t tap = 0; tap < static_cast<int64_t>(p.kernel_h) * p.kernel_w; tap++) {
            const int64_t iy = oy * p.stride_h - p.pad_top + tap / p.kernel_w * p.dilation_h;
            const int64_t ix = ox * p.stride_w - p.pad_left + tap % p.kernel_w * p.dilation_w;
            if (iy < 0 || ix < 0 || iy >= p.in_h || ix >= p.in_w) continue;
            const size_t at = static_cast<size_t>((b * p.in_h + iy) * p.in_w + ix) * p.in_stride + n;
            const size_t weight = n * p.kernel_h * p.kernel_w + static_cast<size_t>(tap);
            if (c.u8) {
              const int zero = c.zero_points ? o.zero_points.data()[n] : static_cast<int>(p.in_zero_point);
              exact += (o.x.data()[at] - zero) * o.weights.as<int8_t>()[weight];
            } else {
              chain = std::fmaf(o.x.as<float>()[at], o.weights.as<float>()[weight], chain);
            }
          }
          const float bias = c.bias ? o.bias.as<float>()[n] : 0.0f;
          const float v = c.u8     ? std::fmaf(static_cast<float>(exact), o.scale.as<float>()[n], bias)
                          : c.bias ? chain + bias
                                   : chain;
          StoreNaive(c, o, v, pixel, n, &y);
        }
  return y;
}

// Every ISA must give the bytes of the naive sum. Returns the rows' names.
std::vector<std::string> ExpectExact(const Case& c, unsigned seed = 1) {
  std::vector<std::string> rows;
  const Operands operands(c, seed);
  const Buffer expected = Naive(c, operands);
  for (Isa isa : test::RunnableIsas()) {
    Buffer y = Output(c);
    rows.push_back(RunCall(operands.Spec(c, &y), isa, seed));
    size_t wrong = 0;
    for (size_t i = 0; i < y.bytes(); i++) wrong += y.data()[i] != expected.data()[i];
    EXPECT_EQ(wrong, 0u) << rows.back() << ": " << c.p.in_c << " channels, " << c.p.in_h << "x" << c.p.in_w
                         << ", kernel " << c.p.kernel_h << "x" << c.p.kernel_w << ", stride " << c.p.stride_w
                         << ", padding " << c.p.pad_left << ", seed " << seed;
  }
  return rows;
}

TEST(Depthwise, IsExactForEveryChannelCountUpTo130) {
  for (uint32_t channels = 1; channels <= 130; channels++) {
    for (uint32_t stride : {1, 2}) {
      ExpectExact(Case(channels, 5, 3, stride, 1));
      ExpectExact(Case(channels, 5, 3, stride, 1).Float());
      ExpectExact(Case(channels, 6, 5, stride, 2));
      ExpectExact(Case(channels, 6, 5, stride, 2).Float());
    }
  }
}

TEST(Depthwise, IsExactForEverySmallImage) {
  for (uint32_t size = 1; size <= 20; size++) {
    for (uint32_t stride : {1, 2, 3}) {
      ExpectExact(Case(70, size, 3, stride, 1));
      ExpectExact(Case(20, size, 3, stride, 1).Float());
      ExpectExact(Case(40, size, 3, stride, 2));
      ExpectExact(Case(20, size, 3, stride, 2).Float());
      for (uint32_t pad : {2, 3, 4}) ExpectExact(Case(40, size, 5, stride, pad));
      for (uint32_t pad : {2, 3, 4}) ExpectExact(Case(20, size, 5, stride, pad).Float());
    }
  }
}

TEST(Depthwise, IsExactForOtherKernelsStridesDilationsAndPaddings) {
  for (bool u8 : {true, false}) {
    for (uint32_t kernel_h : {1, 2, 3, 5}) {
      for (uint32_t kernel_w : {1, 3, 4, 5, 7}) {
        Case c(33, 11, 3, 1, 0);
        if (!u8) c.Float();
        c.p.kernel_h = kernel_h;
        c.p.kernel_w = kernel_w;
        c.p.pad_top = kernel_h / 2;
        c.p.pad_left = kernel_w - 1;
        ExpectExact(c.Fit());
        c.p.stride_w = 2;
        c.p.dilation_h = 2;
        ExpectExact(c.Fit());
        c.p.dilation_w = 3;
        c.p.pad_left = 9;
        ExpectExact(c.Fit());
      }
    }
  }
}

TEST(Depthwise, IsExactForDilatedFloatWindows) {
  for (uint32_t size : {4, 9, 16, 27, 40}) {
    for (uint32_t kernel : {3, 5}) {
      for (uint32_t dilation = 1; dilation <= 5; dilation++) {
        for (uint32_t stride : {1, 2}) {
          for (uint32_t more : {0, 1, 4}) {
            Case c(20, size, kernel, stride, kernel / 2 * dilation + more);
            c.Float().p.dilation_h = c.p.dilation_w = dilation;
            if (more == 1) c.residual = 2, c.p.residual_scale = 0.5f;
            if (c.p.in_h + 2 * c.p.pad_top > (kernel - 1) * dilation) ExpectExact(c.Fit());
          }
        }
      }
    }
  }
}

TEST(Depthwise, LeavesOutputsFarOutsideOfTheInputAtTheBias) {
  for (uint32_t kernel : {3, 5}) {
    Case c(40, 3, kernel, 1, 0);
    c.p.out_h = c.p.out_w = 9;  // most windows lie below or right of the input
    c.p.pad_top = 2;
    ExpectExact(c);
    ExpectExact(c.Float());
  }
}

TEST(Depthwise, KeepsTheBytesOfOtherChannels) {
  for (bool u8 : {true, false}) {
    Case c(67, 6, 3, 1, 1);
    if (!u8) c.Float();
    c.p.in_stride = 80;
    c.p.out_stride = 100;
    c.p.out_offset = 13;
    c.p.batch = 2;
    ExpectExact(c);
    c.p.kernel_w = 4;
    ExpectExact(c.Fit());
  }
}

TEST(Depthwise, UsesZeroPointsByChannel) {
  for (uint32_t kernel : {3, 5}) {
    for (uint32_t stride : {1, 2}) {
      Case c(97, 7, kernel, stride, kernel / 2);
      c.zero_points = true;
      ExpectExact(c);
    }
  }
}

TEST(Depthwise, AppliesEveryPartOfTheEpilogue) {
  for (uint32_t kernel : {2, 3, 5}) {
    for (int options = 0; options < 96; options++) {
      Case c(options % 2 ? 41 : 101, 6, kernel, 1 + options / 48, 1);
      c.u8_output = options / 2 % 2;
      c.residual = options / 4 % 3;
      c.p.residual_scale = c.u8_output ? 0.37f : -1.25f;
      c.p.mid = options / 12 % 2;
      c.p.mid_scale = 0.75f;
      c.p.mid_bias = 3.5f;
      c.p.mid_low = 20;
      c.p.mid_high = 200;
      c.bounds = c.u8_output && options / 24 % 2;
      c.bias = options % 5 != 0;
      if (!c.u8_output) {
        c.p.low = -40;
        c.p.high = 60;
      }
      ExpectExact(c, static_cast<unsigned>(options));
      if (!c.u8_output) ExpectExact(c.Float(), static_cast<unsigned>(options));
    }
  }
}

TEST(Depthwise, MayWriteOverItsResidual) {
  for (bool u8 : {true, false}) {
    for (uint32_t kernel : {2, 3, 5}) {
      Case c(81, 9, kernel, 1, 1);
      if (!u8) c.Float();
      c.residual = u8 ? 1 : 2;
      c.p.residual_scale = 0.5f;
      const Operands o(c, 4);
      const Buffer expected = Naive(c, o);
      for (Isa isa : test::RunnableIsas()) {
        Buffer y = Output(c);
        std::memcpy(y.data(), o.residual.data(), y.bytes());
        CallSpec spec = o.Spec(c, &y);
        spec.inputs[4] = &y;
        const std::string row = RunCall(spec, isa);
        EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.bytes()), 0) << row;
      }
    }
  }
}

TEST(Depthwise, SaturatesAndRoundsToEven) {
  Case c(64, 6, 3, 1, 1);
  c.bias = false;
  c.scale = 0.5f;
  ExpectExact(c);
  c.scale = 1e30f;  // beyond the range of the conversion
  ExpectExact(c);
}

TEST(Depthwise, SumsTheLargestProductsWithoutOverflow) {
  for (uint32_t kernel : {3, 5, 6}) {
    Case c(70, 8, kernel, 1, 0);
    c.u8_output = false;
    Operands o(c, 1);
    std::memset(o.x.data(), 255, o.x.bytes());
    std::memset(o.weights.data(), 0x80, o.weights.bytes());
    c.p.in_zero_point = 0;
    const Buffer expected = Naive(c, o);
    for (Isa isa : test::RunnableIsas()) {
      Buffer y = Output(c);
      RunCall(o.Spec(c, &y), isa);
      EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.bytes()), 0) << IsaName(isa);
    }
  }
}

TEST(Depthwise, IgnoresChannelsBehindTheUsedOnes) {
  Case c(5, 6, 3, 1, 1);
  c.Float();
  c.p.in_stride = 8;
  Operands o(c, 3);
  for (size_t i = 0; i < o.x.bytes() / 4; i++)
    if (i % 8 >= 5) o.x.as<float>()[i] = NAN;
  const Buffer expected = Naive(c, o);
  for (Isa isa : test::RunnableIsas()) {
    Buffer y = Output(c);
    RunCall(o.Spec(c, &y), isa);
    EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.bytes()), 0) << IsaName(isa);
  }
}

// The rows that the levels take, scalar first.
void ExpectRows(const Case& c, const char* const (&expected)[6]) {
  const std::vector<Isa> isas = test::RunnableIsas();
  const std::vector<std::string> rows = ExpectExact(c);
  for (size_t i = 0; i < rows.size(); i++) EXPECT_EQ(rows[i], expected[static_cast<int>(isas[i])]);
}

TEST(Depthwise, TakesTheFastRowsFor3x3And5x5) {
  ExpectRows(Case(16, 8, 3, 1, 1),
             {"depthwise_u8s8_scalar_1x16", "depthwise_u8s8_avx2_3x3s1_1x16", "depthwise_u8s8_avx2_3x3s1_1x16",
              "depthwise_u8s8_avx512_3x3s1_1x32", "depthwise_u8s8_vnni_3x3s1_1x64", "depthwise_u8s8_vnni_3x3s1_1x64"});
  ExpectRows(Case(16, 8, 5, 1, 2),
             {"depthwise_u8s8_scalar_1x16", "depthwise_u8s8_avx2_5x5s1_1x16", "depthwise_u8s8_avx2_5x5s1_1x16",
              "depthwise_u8s8_avx512_5x5s1_1x32", "depthwise_u8s8_vnni_5x5s1_1x64", "depthwise_u8s8_vnni_5x5s1_1x64"});
  ExpectRows(Case(16, 8, 5, 2, 2),
             {"depthwise_u8s8_scalar_1x16", "depthwise_u8s8_avx2_5x5s2_1x16", "depthwise_u8s8_avx2_5x5s2_1x16",
              "depthwise_u8s8_avx512_5x5s2_1x32", "depthwise_u8s8_vnni_5x5s2_1x64", "depthwise_u8s8_vnni_5x5s2_1x64"});
  ExpectRows(Case(16, 8, 3, 2, 1).Float(),
             {"depthwise_f32_scalar_1x16", "depthwise_f32_avx2_3x3s2_10x8", "depthwise_f32_avx2_3x3s2_10x8",
              "depthwise_f32_avx512_3x3s2_7x16", "depthwise_f32_avx512_3x3s2_7x16", "depthwise_f32_avx512_3x3s2_7x16"});
  ExpectRows(Case(16, 8, 5, 1, 2).Float(),
             {"depthwise_f32_scalar_1x16", "depthwise_f32_avx2_5x5s1_10x8", "depthwise_f32_avx2_5x5s1_10x8",
              "depthwise_f32_avx512_5x5s1_14x16", "depthwise_f32_avx512_5x5s1_14x16",
              "depthwise_f32_avx512_5x5s1_14x16"});
  ExpectRows(Case(16, 8, 5, 2, 2).Float(),
             {"depthwise_f32_scalar_1x16", "depthwise_f32_avx2_5x5s2_10x8", "depthwise_f32_avx2_5x5s2_10x8",
              "depthwise_f32_avx512_5x5s2_14x16", "depthwise_f32_avx512_5x5s2_14x16",
              "depthwise_f32_avx512_5x5s2_14x16"});
  Case wide(16, 8, 5, 1, 2);  // 9 columns
  wide.Float().p.dilation_w = 2;
  wide.p.pad_left = 4;
  ExpectRows(wide.Fit(), {"depthwise_f32_scalar_1x16", "depthwise_f32_avx2_5x5s1_10x8", "depthwise_f32_avx2_5x5s1_10x8",
                          "depthwise_f32_avx512_5x5s1_14x16", "depthwise_f32_avx512_5x5s1_14x16",
                          "depthwise_f32_avx512_5x5s1_14x16"});
  wide.p.dilation_w = 3;
  wide.p.pad_left = 6;
  ExpectRows(wide.Fit(), {"depthwise_f32_scalar_1x16", "depthwise_f32_avx2_7x8", "depthwise_f32_avx2_7x8",
                          "depthwise_f32_avx512_7x16", "depthwise_f32_avx512_7x16", "depthwise_f32_avx512_7x16"});
}

TEST(Depthwise, RefusesOperandsThatDoNotFit) {
  const Case good(8, 6, 3, 1, 1);
  const Operands o(good, 1);
  const Buffer y = Output(good), none;
  EXPECT_TRUE(ValidateOnly(o.Spec(good, &y)).ok());
  const Buffer wrong(ElementType::kF32, 9), bytes(ElementType::kU8, 9);
  for (size_t input = 0; input < 7; input++) {
    for (const Buffer* b : {&wrong, &bytes}) {
      CallSpec spec = o.Spec(good, &y);
      spec.inputs[input] = b;
      EXPECT_FALSE(ValidateOnly(spec).ok()) << input;
    }
  }
  for (size_t input : {0, 1, 3}) {
    CallSpec spec = o.Spec(good, &y);
    spec.inputs[input] = &none;
    EXPECT_FALSE(ValidateOnly(spec).ok()) << input;
  }
  for (size_t input : {1, 2, 3}) {
    CallSpec spec = o.Spec(good, &y);
    spec.constant[input] = false;
    EXPECT_FALSE(ValidateOnly(spec).ok()) << input;
  }
}

TEST(Depthwise, RefusesBadParams) {
  const Case good(8, 6, 3, 1, 1);
  const Operands o(good, 1);
  const Buffer y = Output(good);
  const auto refused = [&](auto change) {
    Case c = good;
    change(&c.p);
    return !ValidateOnly(o.Spec(c, &y)).ok();
  };
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->batch = 2; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->in_h++; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->groups = 1; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->out_c = 16; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->in_stride = 7; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->out_offset = 1; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->stride_w = 0; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->dilation_h = 0; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->kernel_w = 4; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->pad_left = 1u << 31; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->dilation_w = 1u << 31; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->stride_h = 1u << 30; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->in_zero_point = 256; }));
  EXPECT_TRUE(refused([](DepthwiseParams* p) { p->mid = 2; }));
}

// Whatever single bits of the params become, a call is refused or stays inside its buffers.
TEST(Depthwise, SurvivesMutatedParams) {
  for (bool u8 : {true, false}) {
    Case good(18, 5, 3, 1, 1);
    good.p.in_stride = 20;
    if (!u8) good.Float();
    const Operands o(good, 1);
    std::mt19937 random(5);
    size_t refused = 0;
    for (int round = 0; round < 3000; round++) {
      Case c = good;
      uint8_t* bytes = reinterpret_cast<uint8_t*>(&c.p);
      for (int change = 0; change < 1 + round % 2; change++) bytes[random() % sizeof(c.p)] ^= 1u << random() % 8;
      Buffer y = Output(good);
      const CallSpec spec = o.Spec(c, &y);
      if (!ValidateOnly(spec).ok()) {
        refused++;
        continue;
      }
      for (Isa isa : test::RunnableIsas()) RunCall(spec, isa);
    }
    EXPECT_GT(refused, 500u);
  }
}

}  // namespace
}  // namespace lowp
