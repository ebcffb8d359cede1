// Tests of `convert`: every type, every half-precision pattern, roundings and tails.
#include "kernels/convert/convert.h"

#include <numeric>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

template <class T>
std::vector<float> Compute(ElementType type, const std::vector<T>& x, Isa isa) {
  const ConvertParams p{static_cast<uint32_t>(x.size())};
  const Buffer in = Buffer::Of(type, x);
  Buffer y(ElementType::kF32, x.size());
  RunCall({&kernel_convert, &p, {&in}, {}, {&y}}, isa);
  return y.to_vector<float>();
}

// All tails and one call of several tiles, against static_cast.
template <class T>
void ExpectNumbers(ElementType type, bool boolean = false) {
  std::mt19937_64 random(static_cast<unsigned>(type) + 1);
  for (size_t n = 0; n <= 71; n++) {
    std::vector<T> x(n == 71 ? 40001 : n);
    std::vector<float> expected;
    for (T& v : x) v = static_cast<T>(static_cast<int64_t>(random()) >> (random() % 64));
    for (T v : x) expected.push_back(boolean ? (v != 0 ? 1.0f : 0.0f) : static_cast<float>(v));
    for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(expected, Compute(type, x, isa))) << IsaName(isa) << " " << n;
  }
}

TEST(Convert, Integers) {
  ExpectNumbers<uint8_t>(ElementType::kU8);
  ExpectNumbers<int8_t>(ElementType::kI8);
  ExpectNumbers<int16_t>(ElementType::kI16);
  ExpectNumbers<int32_t>(ElementType::kI32);
  ExpectNumbers<int64_t>(ElementType::kI64);
}

TEST(Convert, AnyNonZeroByteIsTrue) { ExpectNumbers<uint8_t>(ElementType::kBoolean, true); }

TEST(Convert, RoundsLargeIntegersToEven) {
  std::vector<int64_t> x = {16777217,  16777219,           -16777217,         INT64_MAX,
                            INT64_MIN, 0x7fffff4000000000, 0x7fffffc000000001};
  x.resize(24, 1);
  std::vector<float> expected = {16777216.0f, 16777220.0f, -16777216.0f, 0x1p63f, -0x1p63f, 0x1.fffffcp62f, 0x1p63f};
  expected.resize(24, 1.0f);
  for (Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats(expected, Compute(ElementType::kI64, x, isa))) << IsaName(isa);
}

TEST(Convert, EveryHalfPrecisionPattern) {
  std::vector<uint16_t> x(65536);
  std::iota(x.begin(), x.end(), uint16_t{0});
  std::vector<float> expected;
  for (uint32_t h : x) {
    const int exponent = h >> 10 & 31, mantissa = h & 1023;
    float v = exponent ? std::ldexp(1024.0f + static_cast<float>(mantissa), exponent - 25)
                       : std::ldexp(static_cast<float>(mantissa), -24);
    if (exponent == 31) v = mantissa ? NAN : INFINITY;
    expected.push_back(h & 0x8000 ? -v : v);
  }
  for (Isa isa : RunnableIsas()) EXPECT_TRUE(SameFloats(expected, Compute(ElementType::kF16, x, isa))) << IsaName(isa);
}

TEST(Convert, CopiesFloatsBitByBit) {
  for (size_t n = 0; n <= 70; n++) {
    const std::vector<float> x = RandomFloats(n, 3, -1.0f, 1.0f, true);
    for (Isa isa : RunnableIsas()) {
      const std::vector<float> y = Compute(ElementType::kF32, x, isa);
      for (size_t i = 0; i < n; i++) ASSERT_EQ(BitsOf(x[i]), BitsOf(y[i]));
      const ConvertParams p{static_cast<uint32_t>(n)};
      Buffer data = Buffer::F32(x);
      RunCall({&kernel_convert, &p, {&data}, {}, {&data}}, isa);
      EXPECT_TRUE(SameFloats(x, data.to_vector<float>()));
    }
  }
}

template <class From, class To>
std::vector<To> ToWhole(ElementType from, ElementType to, const std::vector<From>& x) {
  const ConvertParams p{static_cast<uint32_t>(x.size())};
  const Buffer in = Buffer::Of(from, x);
  Buffer y(to, x.size());
  RunCall({&kernel_convert, &p, {&in}, {}, {&y}}, ActiveIsa());
  return y.to_vector<To>();
}

TEST(Convert, ToI32TruncatesAndSaturates) {
  const auto whole = ToWhole<float, int32_t>;
  EXPECT_EQ(whole(ElementType::kF32, ElementType::kI32,
                  {1.9f, -1.9f, NAN, INFINITY, -INFINITY, 0x1p31f, -0x1p31f, 0x1.fffffep30f, -0.5f}),
            (std::vector<int32_t>{1, -1, 0, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, 0x7fffff80, 0}));
  EXPECT_EQ((ToWhole<int64_t, int32_t>(ElementType::kI64, ElementType::kI32, {INT64_MAX, INT64_MIN, -5, 1 << 30})),
            (std::vector<int32_t>{INT32_MAX, INT32_MIN, -5, 1 << 30}));
}

TEST(Convert, ToI64TruncatesAndSaturates) {
  const auto whole = ToWhole<float, int64_t>;
  EXPECT_EQ(whole(ElementType::kF32, ElementType::kI64,
                  {2.7f, -2.7f, NAN, INFINITY, -INFINITY, -0x1p63f, 0x1p63f, 0x1p64f, -0x1p64f, 0x1.fffffep62f}),
            (std::vector<int64_t>{2, -2, 0, INT64_MAX, INT64_MIN, INT64_MIN, INT64_MAX, INT64_MAX, INT64_MIN,
                                  0x7fffff8000000000}));
  EXPECT_EQ((ToWhole<int32_t, int64_t>(ElementType::kI32, ElementType::kI64, {INT32_MIN, 7})),
            (std::vector<int64_t>{INT32_MIN, 7}));
}

TEST(Convert, ToWholeNumbersFromNarrowTypes) {
  EXPECT_EQ((ToWhole<uint8_t, int32_t>(ElementType::kU8, ElementType::kI32, {0, 255})), (std::vector<int32_t>{0, 255}));
  EXPECT_EQ((ToWhole<int8_t, int64_t>(ElementType::kI8, ElementType::kI64, {-128, 127})),
            (std::vector<int64_t>{-128, 127}));
  EXPECT_EQ((ToWhole<int16_t, int32_t>(ElementType::kI16, ElementType::kI32, {-32768, 5})),
            (std::vector<int32_t>{-32768, 5}));
  EXPECT_EQ((ToWhole<uint8_t, int64_t>(ElementType::kBoolean, ElementType::kI64, {0, 1, 9})),
            (std::vector<int64_t>{0, 1, 1}));
}

TEST(Convert, RefusesBadCalls) {
  const ConvertParams p{10};
  const Buffer x(ElementType::kI64, 10), y(ElementType::kF32, 10), other(ElementType::kF32, 11);
  EXPECT_TRUE(ValidateOnly({&kernel_convert, &p, {&x}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_convert, &p, {&x}, {}, {&other}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_convert, &p, {&other}, {}, {&y}}).ok());
  const Buffer bytes(ElementType::kU8, 10), half(ElementType::kF16, 10), whole(ElementType::kI32, 10);
  EXPECT_FALSE(ValidateOnly({&kernel_convert, &p, {&x}, {}, {&bytes}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_convert, &p, {&half}, {}, {&whole}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_convert, &p, {}, {}, {&y}}).ok());
}

}  // namespace
}  // namespace lowp::test
