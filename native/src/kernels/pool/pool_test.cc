// Pooling against a direct evaluation of its definition, on every ISA.
#include "kernels/pool/pool.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>

#include "kernel_harness.h"

namespace lowp {
namespace {

using test::Buffer;
using test::CallSpec;
using test::RunCall;
using test::ValidateOnly;

struct Case {
  PoolParams p{};
  ElementType in = ElementType::kU8;
  ElementType out = ElementType::kU8;

  Case(uint32_t mode, ElementType in_type, ElementType out_type, uint32_t channels, uint32_t size, uint32_t kernel,
       uint32_t stride, uint32_t pad)
      : in(in_type), out(out_type) {
    p.batch = 2;
    p.in_d = p.out_d = p.kernel_d = p.stride_d = p.dilation_d = 1;
    p.in_h = size;
    p.in_w = size + 2;
    p.channels = p.in_stride = p.out_stride = channels;
    p.kernel_h = p.kernel_w = kernel;
    p.stride_h = p.stride_w = stride;
    p.dilation_h = p.dilation_w = 1;
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = pad;
    p.mode = mode;
    p.in_zero_point = 93;
    p.scale = 0.77f;
    p.bias = 61.3f;
    Fit();
  }
  Case& Fit() {
    p.out_d = (p.in_d + p.pad_front + p.pad_back - (p.kernel_d - 1) * p.dilation_d - 1) / p.stride_d + 1;
    p.out_h = (p.in_h + p.pad_top + p.pad_bottom - (p.kernel_h - 1) * p.dilation_h - 1) / p.stride_h + 1;
    p.out_w = (p.in_w + p.pad_left + p.pad_right - (p.kernel_w - 1) * p.dilation_w - 1) / p.stride_w + 1;
    return *this;
  }
};

struct Form {
  uint32_t mode;
  ElementType in, out;
};

constexpr Form kForms[] = {{0, ElementType::kF32, ElementType::kF32}, {0, ElementType::kU8, ElementType::kU8},
                           {1, ElementType::kF32, ElementType::kF32}, {1, ElementType::kU8, ElementType::kU8},
                           {1, ElementType::kU8, ElementType::kF32},  {2, ElementType::kF32, ElementType::kF32},
                           {2, ElementType::kU8, ElementType::kU8},   {2, ElementType::kU8, ElementType::kF32}};

Buffer Input(const Case& c, unsigned seed) {
  Buffer x(c.in, 1ul * c.p.batch * c.p.in_d * c.p.in_h * c.p.in_w * c.p.in_stride);
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-3, 3);
  for (size_t i = 0; i < (c.in == ElementType::kF32 ? x.bytes() / 4 : x.bytes()); i++) {
    if (c.in == ElementType::kF32) {
      x.as<float>()[i] = uniform(random);
    } else {
      x.data()[i] = random() % 4 == 0 ? 255 : static_cast<uint8_t>(random());
    }
  }
  return x;
}

Buffer Output(const Case& c) {
  Buffer y(c.out, 1ul * c.p.batch * c.p.out_d * c.p.out_h * c.p.out_w * c.p.out_stride);
  std::memset(y.data(), 0x3C, y.bytes());
  return y;
}

// One output, straight from pool.h.
struct Naive {
  float most = -FLT_MAX, sum = 0;
  uint8_t most_u8 = 0;
  int64_t exact = 0;
  uint64_t count = 0;

  // `window` counts windows in the order of the output.
  Naive(const Case& c, const Buffer& x, int64_t window, size_t channel) {
    const PoolParams& p = c.p;
    const int64_t ox = window % p.out_w, oy = window / p.out_w % p.out_h, oz = window / p.out_w / p.out_h % p.out_d;
    const int64_t b = window / p.out_w / p.out_h / p.out_d;
    for (int64_t k = 0; k < int64_t{p.kernel_d} * p.kernel_h * p.kernel_w; k++) {
      const int64_t iz = oz * p.stride_d - p.pad_front + k / p.kernel_w / p.kernel_h * p.dilation_d;
      const int64_t iy = oy * p.stride_h - p.pad_top + k / p.kernel_w % p.kernel_h * p.dilation_h;
      const int64_t ix = ox * p.stride_w - p.pad_left + k % p.kernel_w * p.dilation_w;
      const bool inside = iz >= 0 && iy >= 0 && ix >= 0 && iz < p.in_d && iy < p.in_h && ix < p.in_w;
      const bool padded = iz < int64_t{p.in_d} + p.pad_back && iy < int64_t{p.in_h} + p.pad_bottom &&
                          ix < int64_t{p.in_w} + p.pad_right;
      count += p.mode == 2 ? padded : inside;
      if (!inside) continue;
      const size_t at = static_cast<size_t>(((b * p.in_d + iz) * p.in_h + iy) * p.in_w + ix) * p.in_stride + channel;
      if (c.in == ElementType::kF32) {
        const float v = x.as<float>()[at];
        most = v > most ? v : most;
        sum += v;
      } else {
        most_u8 = std::max(most_u8, x.data()[at]);
        exact += x.data()[at] - static_cast<int>(p.in_zero_point);
      }
    }
  }

  void Store(const Case& c, size_t at, Buffer* y) const {
    if (c.p.mode == 0) {
      if (c.in == ElementType::kF32) {
        y->as<float>()[at] = most;
      } else {
        y->data()[at] = most_u8;
      }
      return;
    }
    if (c.in == ElementType::kF32) {
      y->as<float>()[at] = count ? sum / static_cast<float>(count) : 0;
      return;
    }
    const float mean = count ? static_cast<float>(exact) / static_cast<float>(count) : 0;
    const float v = std::fmaf(mean, c.p.scale, c.p.bias);
    if (c.out == ElementType::kF32) {
      y->as<float>()[at] = v;
    } else {
      y->data()[at] = static_cast<uint8_t>(
          std::isnan(v) ? 0.0 : std::nearbyint(std::fmin(std::fmax(static_cast<double>(v), 0.0), 255.0)));
    }
  }
};

std::vector<std::string> ExpectExact(const Case& c, unsigned seed = 1) {
  const PoolParams& p = c.p;
  const Buffer x = Input(c, seed);
  Buffer expected = Output(c);
  for (size_t pixel = 0; pixel < size_t{p.batch} * p.out_d * p.out_h * p.out_w; pixel++)
    for (size_t n = 0; n < p.channels; n++)
      Naive(c, x, static_cast<int64_t>(pixel), n).Store(c, pixel * p.out_stride + p.out_offset + n, &expected);
  std::vector<std::string> rows;
  for (Isa isa : test::RunnableIsas()) {
    Buffer y = Output(c);
    rows.push_back(RunCall({&kernel_pool, &p, {&x}, {}, {&y}}, isa, seed));
    EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.bytes()), 0)
        << rows.back() << ", mode " << p.mode << ", " << p.channels << " channels, " << p.in_h << "x" << p.in_w
        << ", kernel " << p.kernel_h << "x" << p.kernel_w << ", stride " << p.stride_w << ", seed " << seed;
  }
  return rows;
}

TEST(Pool, IsExactForEveryChannelCountUpTo130) {
  for (const Form& form : kForms)
    for (uint32_t channels = 1; channels <= 130; channels++)
      ExpectExact(Case(form.mode, form.in, form.out, channels, 4, 3, 2, 1));
}

TEST(Pool, IsExactForManyChannels) {
  for (const Form& form : kForms)
    for (uint32_t channels : {255, 256, 300, 700, 1040})
      ExpectExact(Case(form.mode, form.in, form.out, channels, 3, 2, 1, 0));
}

TEST(Pool, IsExactForKernelsStridesDilationsAndPaddings) {
  for (const Form& form : kForms) {
    for (uint32_t size : {1, 2, 5, 9}) {
      for (uint32_t kernel : {1, 2, 3, 5}) {
        for (uint32_t stride : {1, 2, 3}) {
          Case c(form.mode, form.in, form.out, 19, size, kernel, stride, kernel - 1);
          ExpectExact(c);
          c.p.pad_bottom = 0;
          c.p.pad_left = 0;
          c.p.dilation_w = 2;
          c.p.pad_right = 2 * kernel;
          ExpectExact(c.Fit());
        }
      }
    }
  }
}

TEST(Pool, IsExactForVolumes) {
  for (const Form& form : kForms) {
    for (uint32_t depth : {1, 2, 5}) {
      for (uint32_t kernel : {1, 2, 3}) {
        Case c(form.mode, form.in, form.out, 19, 4, 2, 1, 1);
        c.p.in_d = depth;
        c.p.kernel_d = kernel;
        c.p.pad_front = kernel - 1;
        c.p.pad_back = kernel - 1;
        ExpectExact(c.Fit());
        c.p.stride_d = 2;
        c.p.dilation_d = 2;
        c.p.pad_back = 2 * kernel;
        ExpectExact(c.Fit());
      }
    }
  }
}

TEST(Pool, PoolsWholeImages) {
  for (const Form& form : kForms) {
    for (uint32_t size : {7, 14, 33}) {
      Case c(form.mode, form.in, form.out, 150, size, size, 1, 0);
      c.p.kernel_w = c.p.in_w;
      ExpectExact(c.Fit());
    }
  }
}

TEST(Pool, GivesTheStatedValueForWindowsInThePadding) {
  for (const Form& form : kForms) {
    Case c(form.mode, form.in, form.out, 21, 2, 1, 1, 0);
    c.p.out_h = c.p.out_w = 6;  // windows below and right of the input
    c.p.pad_left = 1;
    ExpectExact(c);
  }
}

TEST(Pool, KeepsTheBytesOfOtherChannels) {
  for (const Form& form : kForms) {
    Case c(form.mode, form.in, form.out, 37, 6, 3, 2, 1);
    c.p.in_stride = 41;
    c.p.out_stride = 90;
    c.p.out_offset = 17;
    ExpectExact(c);
  }
}

TEST(Pool, SaturatesBytesAndTurnsNaNIntoZero) {
  for (float scale : {40.0f, -40.0f, 1e30f, -1e30f, NAN, HUGE_VALF}) {
    Case c(1, ElementType::kU8, ElementType::kU8, 70, 5, 3, 2, 1);
    c.p.scale = scale;
    ExpectExact(c);
  }
}

TEST(Pool, PassesOverNaNInMaxima) {
  Case c(0, ElementType::kF32, ElementType::kF32, 5, 3, 3, 3, 0);
  c.p.batch = 1;
  Buffer x = Input(c, 1);
  for (size_t i = 0; i < x.bytes() / 4; i++)
    if (i % 3 == 0) x.as<float>()[i] = NAN;
  for (Isa isa : test::RunnableIsas()) {
    Buffer y = Output(c);
    RunCall({&kernel_pool, &c.p, {&x}, {}, {&y}}, isa);
    for (size_t n = 0; n < 5; n++) {
      float most = -FLT_MAX;
      for (size_t position = 0; position < 15; position++) {
        if (position % 5 < 3) most = std::fmax(most, x.as<float>()[position * 5 + n]);
      }
      EXPECT_EQ(y.as<float>()[n], most) << IsaName(isa);
    }
  }
}

TEST(Pool, TakesVectorRows) {
  const std::vector<std::string> rows = ExpectExact(Case(0, ElementType::kU8, ElementType::kU8, 64, 4, 2, 2, 0));
  const char* const expected[] = {"pool_max_u8_scalar_1x16",  "pool_max_u8_avx2_1x128",   "pool_max_u8_avx2_1x128",
                                  "pool_max_u8_avx512_1x256", "pool_max_u8_avx512_1x256", "pool_max_u8_avx512_1x256"};
  const std::vector<Isa> isas = test::RunnableIsas();
  for (size_t i = 0; i < rows.size(); i++) EXPECT_EQ(rows[i], expected[static_cast<int>(isas[i])]);
}

TEST(Pool, RefusesBadCalls) {
  const Case good(1, ElementType::kU8, ElementType::kU8, 8, 6, 3, 2, 1);
  const Buffer x = Input(good, 1), y = Output(good), f32(ElementType::kF32, y.bytes()), absent;
  const auto check = [&](auto change) {
    Case c = good;
    change(&c.p);
    return ValidateOnly({&kernel_pool, &c.p, {&x}, {}, {&y}}).ok();
  };
  EXPECT_TRUE(check([](PoolParams*) {}));
  EXPECT_FALSE(check([](PoolParams* p) { p->mode = 3; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->batch = 1; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->in_w--; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->out_w++; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->channels = 9; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->out_offset = 1; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->kernel_h = 0; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->in_d = 2; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->out_d = 0; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->pad_front = 1u << 31; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->stride_w = 0; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->dilation_w = 0; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->dilation_h = 1u << 31; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->pad_top = 1u << 31; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->pad_right = ~0u; }));
  EXPECT_FALSE(check([](PoolParams* p) { p->in_zero_point = 256; }));
  EXPECT_FALSE(ValidateOnly({&kernel_pool, &good.p, {&f32}, {}, {&y}}).ok());
  EXPECT_TRUE(ValidateOnly({&kernel_pool, &good.p, {&x}, {}, {&f32}}).ok());
  Case max = good;
  max.p.mode = 0;
  EXPECT_FALSE(ValidateOnly({&kernel_pool, &max.p, {&x}, {}, {&f32}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_pool, &good.p, {&absent}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_pool, &good.p, {&x, &x}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_pool, &good.p, {&x}, {}, {}}).ok());
}

// Whatever single bits of the params become, a call is refused or stays inside its buffers.
TEST(Pool, SurvivesMutatedParams) {
  for (const Form& form : kForms) {
    const Case good(form.mode, form.in, form.out, 6, 5, 3, 1, 1);
    const Buffer x = Input(good, 1);
    std::mt19937 random(11);
    size_t refused = 0;
    for (int round = 0; round < 1500; round++) {
      Case c = good;
      uint8_t* bytes = reinterpret_cast<uint8_t*>(&c.p);
      for (int change = 0; change < 1 + round % 2; change++) bytes[random() % sizeof(c.p)] ^= 1u << random() % 8;
      Buffer y = Output(good);
      const CallSpec spec{&kernel_pool, &c.p, {&x}, {}, {&y}};
      if (!ValidateOnly(spec).ok()) {
        refused++;
        continue;
      }
      for (Isa isa : test::RunnableIsas()) RunCall(spec, isa);
    }
    EXPECT_GT(refused, 300u);
  }
}

}  // namespace
}  // namespace lowp
