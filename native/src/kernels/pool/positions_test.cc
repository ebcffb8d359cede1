// `max_positions` against a direct evaluation of its definition, on every ISA.
#include "kernels/pool/positions.h"

#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

// A window over two images of three axes, with every stride of the memory apart from the channels.
MaxPositionsParams Window(uint32_t channels, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t pad) {
  MaxPositionsParams p{};
  p.batch = 2;
  p.in_d = 3, p.in_h = 7, p.in_w = 9;
  p.channels = channels;
  p.in_stride = channels + 3;
  p.out_stride = channels + 5;
  p.out_offset = 2;
  p.kernel_d = 2, p.kernel_h = p.kernel_w = kernel;
  p.stride_d = 1, p.stride_h = p.stride_w = stride;
  p.dilation_d = 1, p.dilation_h = p.dilation_w = dilation;
  p.pad_front = 1, p.pad_top = p.pad_left = pad;
  p.out_d = 3;
  p.out_h = (p.in_h + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
  p.out_w = (p.in_w + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
  p.batch_step = channels * 189;
  p.channel_step = 189;
  p.period = 189;
  return p;
}

template <class T>
struct Result {
  std::vector<T> y;
  std::vector<int64_t> positions;
};

bool Exceeds(float v, float most) { return v > most || (std::isnan(v) && !std::isnan(most)); }
bool Exceeds(uint8_t v, uint8_t most) { return v > most; }

// y begins as 1 everywhere.
template <class T>
Result<T> Evaluate(const MaxPositionsParams& p, const std::vector<T>& x) {
  Result<T> r;
  r.y.assign(size_t{p.batch} * p.out_d * p.out_h * p.out_w * p.out_stride, T(1));
  for (size_t pixel = 0; pixel < r.y.size() / p.out_stride; pixel++) {
    const int64_t ox = static_cast<int64_t>(pixel % p.out_w), oy = static_cast<int64_t>(pixel / p.out_w % p.out_h);
    const int64_t oz = static_cast<int64_t>(pixel / p.out_w / p.out_h % p.out_d);
    const size_t n = pixel / p.out_w / p.out_h / p.out_d;
    for (size_t c = 0; c < p.channels; c++) {
      T most = std::is_same_v<T, float> ? static_cast<T>(-INFINITY) : T(0);
      int64_t where = -1;
      for (int64_t k = 0; k < int64_t{p.kernel_d} * p.kernel_h * p.kernel_w; k++) {
        const int64_t iz = oz * p.stride_d - p.pad_front + k / p.kernel_w / p.kernel_h * p.dilation_d;
        const int64_t iy = oy * p.stride_h - p.pad_top + k / p.kernel_w % p.kernel_h * p.dilation_h;
        const int64_t ix = ox * p.stride_w - p.pad_left + k % p.kernel_w * p.dilation_w;
        if (iz < 0 || iz >= p.in_d || iy < 0 || iy >= p.in_h || ix < 0 || ix >= p.in_w) continue;
        const int64_t at = (iz * p.in_h + iy) * p.in_w + ix;
        const T v = x[(n * p.in_d * p.in_h * p.in_w + static_cast<size_t>(at)) * p.in_stride + c];
        if (where >= 0 && !Exceeds(v, most)) continue;
        most = v;
        where = at;
      }
      r.y[pixel * p.out_stride + p.out_offset + c] = most;
      r.positions.push_back(static_cast<int64_t>(n * p.batch_step + c * p.channel_step) + std::max<int64_t>(where, 0) % p.period);
    }
  }
  return r;
}

template <class T>
void Expect(const MaxPositionsParams& p, ElementType type, const std::vector<T>& x) {
  const Result<T> expected = Evaluate(p, x);
  const Buffer in = Buffer::Of(type, x);
  for (Isa isa : RunnableIsas()) {
    Buffer y(type, expected.y.size()), wide(ElementType::kI64, expected.positions.size());
    Buffer narrow(ElementType::kI32, expected.positions.size());
    for (const Buffer* positions : {&wide, &narrow}) {
      std::fill_n(y.as<T>(), expected.y.size(), T(1));
      RunCall({&kernel_max_positions, &p, {&in}, {}, {&y, positions}}, isa);
      if constexpr (std::is_same_v<T, float>) {
        ASSERT_TRUE(SameFloats(expected.y, y.to_vector<float>())) << IsaName(isa);
      } else {
        ASSERT_EQ(y.to_vector<T>(), expected.y) << IsaName(isa);
      }
    }
    ASSERT_EQ(wide.to_vector<int64_t>(), expected.positions) << IsaName(isa);
    const std::vector<int32_t> found = narrow.to_vector<int32_t>();
    ASSERT_EQ(std::vector<int64_t>(found.begin(), found.end()), expected.positions) << IsaName(isa);
  }
}

std::vector<float> Floats(const MaxPositionsParams& p, unsigned seed) {
  return RandomFloats(size_t{p.batch} * p.in_d * p.in_h * p.in_w * p.in_stride, seed, -2.0f, 2.0f, true);
}

std::vector<uint8_t> Bytes(const MaxPositionsParams& p, unsigned seed, uint32_t levels) {
  std::mt19937 random(seed);
  std::vector<uint8_t> x(size_t{p.batch} * p.in_d * p.in_h * p.in_w * p.in_stride);
  for (uint8_t& v : x) v = static_cast<uint8_t>(random() % levels);
  return x;
}

TEST(MaxPositions, AgreeWithTheDefinition) {
  unsigned seed = 0;
  for (const uint32_t channels : {1u, 3u, 16u, 17u, 40u})
    for (const uint32_t kernel : {1u, 2u, 3u})
      for (const uint32_t stride : {1u, 2u})
        for (const uint32_t pad : {0u, 1u}) {
          const MaxPositionsParams p = Window(channels, kernel, stride, kernel == 3 ? 2 : 1, pad);
          Expect<float>(p, ElementType::kF32, Floats(p, ++seed));
          Expect<uint8_t>(p, ElementType::kU8, Bytes(p, seed, 4));  // ties: the first one counts
          Expect<uint8_t>(p, ElementType::kU8, Bytes(p, seed, 256));
        }
}

TEST(MaxPositions, CountWithinTheAxesThatAreGiven) {
  MaxPositionsParams p = Window(5, 2, 2, 1, 0);
  p.batch_step = 0;
  Expect<float>(p, ElementType::kF32, Floats(p, 1));
  p.channel_step = 0;
  Expect<float>(p, ElementType::kF32, Floats(p, 2));
  p.period = 63;
  Expect<float>(p, ElementType::kF32, Floats(p, 3));
  p.period = 9;
  Expect<uint8_t>(p, ElementType::kU8, Bytes(p, 4, 256));
}

// Padding wider than the window, and steps beyond the input: some windows see nothing.
TEST(MaxPositions, EmptyWindows) {
  MaxPositionsParams p = Window(4, 2, 3, 1, 4);
  p.dilation_d = 0x7fffffff;
  p.kernel_d = 1;
  Expect<float>(p, ElementType::kF32, Floats(p, 5));
  Expect<uint8_t>(p, ElementType::kU8, Bytes(p, 6, 9));
}

TEST(MaxPositions, ANaNExceedsEverythingAndTheFirstOneStays) {
  MaxPositionsParams p{};
  p.batch = p.in_d = p.in_h = p.channels = p.in_stride = p.out_d = p.out_h = p.out_w = p.out_stride = 1;
  p.kernel_d = p.kernel_h = p.stride_d = p.stride_h = p.stride_w = p.dilation_d = p.dilation_h = p.dilation_w = 1;
  p.in_w = p.kernel_w = p.period = 4;
  const Buffer x = Buffer::F32({1, NAN, INFINITY, NAN});
  Buffer y(ElementType::kF32, 1), positions(ElementType::kI32, 1);
  for (Isa isa : RunnableIsas()) {
    RunCall({&kernel_max_positions, &p, {&x}, {}, {&y, &positions}}, isa);
    EXPECT_TRUE(std::isnan(y.as<float>()[0]));
    EXPECT_EQ(positions.as<int32_t>()[0], 1);
  }
}

TEST(MaxPositions, RefuseBadCalls) {
  const MaxPositionsParams good = Window(5, 2, 2, 1, 0);
  const size_t outputs = size_t{2} * good.out_d * good.out_h * good.out_w;
  const Buffer x(ElementType::kF32, 2 * 189 * 8), y(ElementType::kF32, outputs * 10), where(ElementType::kI64, outputs * 5);
  const auto status = [](const MaxPositionsParams& p, const Buffer& in, const Buffer& out, const Buffer& positions) {
    return ValidateOnly({&kernel_max_positions, &p, {&in}, {}, {&out, &positions}}).code();
  };
  ASSERT_EQ(status(good, x, y, where), Code::kOk);
  const auto changed = [&](uint32_t MaxPositionsParams::*field, uint32_t value) {
    MaxPositionsParams p = good;
    p.*field = value;
    return status(p, x, y, where);
  };
  EXPECT_EQ(changed(&MaxPositionsParams::channels, 0), Code::kInvalid);
  EXPECT_EQ(changed(&MaxPositionsParams::in_stride, 4), Code::kInvalid);
  EXPECT_EQ(changed(&MaxPositionsParams::out_offset, 6), Code::kInvalid);
  EXPECT_EQ(changed(&MaxPositionsParams::kernel_h, 0), Code::kInvalid);
  EXPECT_EQ(changed(&MaxPositionsParams::stride_w, 0xffffffff), Code::kInvalid);
  EXPECT_EQ(changed(&MaxPositionsParams::in_h, 8), Code::kInvalid);
  EXPECT_EQ(changed(&MaxPositionsParams::out_w, 5), Code::kInvalid);
  EXPECT_EQ(changed(&MaxPositionsParams::period, 0), Code::kInvalid);
  EXPECT_EQ(changed(&MaxPositionsParams::period, 190), Code::kInvalid);
  EXPECT_EQ(changed(&MaxPositionsParams::batch_step, 0x7fffffff), Code::kUnsupported);
  EXPECT_EQ(status(good, Buffer(ElementType::kI8, x.bytes() / 4), y, where), Code::kInvalid);
  EXPECT_EQ(status(good, x, Buffer(ElementType::kU8, outputs * 10), where), Code::kInvalid);
  EXPECT_EQ(status(good, x, y, Buffer(ElementType::kF32, outputs * 5)), Code::kInvalid);
  EXPECT_EQ(status(good, x, y, Buffer(ElementType::kI32, outputs * 10)), Code::kInvalid);
}

}  // namespace
}  // namespace lowp::test
