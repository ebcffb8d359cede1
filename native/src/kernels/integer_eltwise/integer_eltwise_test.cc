// Tests of `integer_eltwise`: every function with broadcasting, ends of the range, tiles, calls that are refused.
#include "kernels/integer_eltwise/integer_eltwise.h"

#include <cmath>
#include <limits>

#include "kernel_harness.h"

namespace lowp::test {
namespace {

constexpr uint32_t kAdd = 0, kSubtract = 1, kMultiply = 2, kMaximum = 3, kMinimum = 4, kDivide = 5, kTowardZero = 6,
                   kRemainder = 7, kFloorRemainder = 8;

template <class T>
std::vector<T> Flat(uint32_t op, ElementType type, const std::vector<T>& a, const std::vector<T>& b) {
  const uint32_t n = static_cast<uint32_t>(a.size());
  const IntegerEltwiseParams p{op, 1, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1};
  const Buffer u = Buffer::Of(type, a), v = Buffer::Of(type, b);
  Buffer y(type, n);
  RunCall({&kernel_integer_eltwise, &p, {&u, &v}, {}, {&y}}, Isa::kScalar);
  return y.to_vector<T>();
}

TEST(IntegerEltwise, SaturatesAtTheEndsOfI32) {
  const std::vector<int32_t> a = {INT32_MAX, INT32_MIN, 70000, -70000, 5}, b = {1, 1, 70000, 70000, -7};
  const auto run = [&](uint32_t op) { return Flat(op, ElementType::kI32, a, b); };
  EXPECT_EQ(run(kAdd), (std::vector<int32_t>{INT32_MAX, INT32_MIN + 1, 140000, 0, -2}));
  EXPECT_EQ(run(kSubtract), (std::vector<int32_t>{INT32_MAX - 1, INT32_MIN, 0, -140000, 12}));
  EXPECT_EQ(run(kMultiply), (std::vector<int32_t>{INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, -35}));
  EXPECT_EQ(run(kMaximum), (std::vector<int32_t>{INT32_MAX, 1, 70000, 70000, 5}));
  EXPECT_EQ(run(kMinimum), (std::vector<int32_t>{1, INT32_MIN, 70000, -70000, -7}));
}

TEST(IntegerEltwise, SaturatesAtTheEndsOfI64) {
  const std::vector<int64_t> a = {INT64_MAX, INT64_MIN, int64_t{1} << 40}, b = {1, -1, int64_t{1} << 20};
  const auto run = [&](uint32_t op) { return Flat(op, ElementType::kI64, a, b); };
  EXPECT_EQ(run(kAdd), (std::vector<int64_t>{INT64_MAX, INT64_MIN, (int64_t{1} << 40) + (1 << 20)}));
  EXPECT_EQ(run(kSubtract), (std::vector<int64_t>{INT64_MAX - 1, INT64_MIN + 1, (int64_t{1} << 40) - (1 << 20)}));
  EXPECT_EQ(run(kMultiply), (std::vector<int64_t>{INT64_MAX, INT64_MAX, int64_t{1} << 60}));
  EXPECT_EQ(run(kMaximum), (std::vector<int64_t>{INT64_MAX, -1, int64_t{1} << 40}));
}

template <class T>
void ExpectDivides(ElementType type) {
  constexpr T kLeast = std::numeric_limits<T>::min(), kMost = std::numeric_limits<T>::max();
  const std::vector<T> a = {7, -7, 7, -7, 6, 0, 5, -5, 0, kLeast, kLeast}, b = {2, 2, -2, -2, -3, 9, 0, 0, 0, -1, 1};
  const auto run = [&](uint32_t op) { return Flat(op, type, a, b); };
  EXPECT_EQ(run(kDivide), (std::vector<T>{3, -4, -4, 3, -2, 0, kMost, kLeast, 0, kMost, kLeast}));
  EXPECT_EQ(run(kTowardZero), (std::vector<T>{3, -3, -3, 3, -2, 0, kMost, kLeast, 0, kMost, kLeast}));
  EXPECT_EQ(run(kRemainder), (std::vector<T>{1, -1, 1, -1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(run(kFloorRemainder), (std::vector<T>{1, 1, -1, -1, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(IntegerEltwise, DividesI32) { ExpectDivides<int32_t>(ElementType::kI32); }
TEST(IntegerEltwise, DividesI64) { ExpectDivides<int64_t>(ElementType::kI64); }

template <class T>
void ExpectBroadcasts(ElementType type) {
  std::mt19937 random(3);
  for (int round = 0; round < 60; round++) {
    const bool is_long = round % 20 == 19;
    const auto up_to = [&](uint32_t most) { return static_cast<uint32_t>(1 + random() % most); };
    const uint32_t d[4] = {up_to(3), up_to(3), up_to(5), is_long ? 20000u : up_to(70)};
    uint32_t strides[2][4], elements[2];
    for (int side = 0; side < 2; side++) {
      uint32_t step = 1;
      for (int j = 3; j >= 0; j--) {
        const bool repeats = random() % 3 == 0;
        strides[side][j] = repeats ? 0 : step;
        if (!repeats) step *= d[j];
      }
      elements[side] = step;
    }
    std::vector<T> a(elements[0]), b(elements[1]), expected;
    for (T& v : a) v = static_cast<T>(random() % 2001) - 1000;
    for (T& v : b) v = static_cast<T>(random() % 1000) + 1;
    const uint32_t op = random() % 9;
    for (uint32_t i0 = 0; i0 < d[0]; i0++)
      for (uint32_t i1 = 0; i1 < d[1]; i1++)
        for (uint32_t i2 = 0; i2 < d[2]; i2++)
          for (uint32_t i3 = 0; i3 < d[3]; i3++) {
            const auto at = [&](int s) {
              return i0 * strides[s][0] + i1 * strides[s][1] + i2 * strides[s][2] + i3 * strides[s][3];
            };
            const T u = a[at(0)], v = b[at(1)];
            const T results[] = {static_cast<T>(u + v), static_cast<T>(u - v), static_cast<T>(u * v), std::max(u, v),
                                 std::min(u, v), static_cast<T>(std::floor(static_cast<double>(u) / static_cast<double>(v))),
                                 static_cast<T>(u / v), static_cast<T>(u % v), static_cast<T>((u % v + v) % v)};
            expected.push_back(results[op]);
          }
    const IntegerEltwiseParams p{op,
                                 d[0],
                                 d[1],
                                 d[2],
                                 d[3],
                                 strides[0][0],
                                 strides[0][1],
                                 strides[0][2],
                                 strides[0][3],
                                 strides[1][0],
                                 strides[1][1],
                                 strides[1][2],
                                 strides[1][3]};
    const Buffer u = Buffer::Of(type, a), v = Buffer::Of(type, b);
    Buffer y(type, expected.size());
    for (Isa isa : RunnableIsas()) {
      RunCall({&kernel_integer_eltwise, &p, {&u, &v}, {}, {&y}}, isa, static_cast<unsigned>(round));
      ASSERT_EQ(y.to_vector<T>(), expected) << round;
    }
  }
}

TEST(IntegerEltwise, BroadcastsI32) { ExpectBroadcasts<int32_t>(ElementType::kI32); }
TEST(IntegerEltwise, BroadcastsI64) { ExpectBroadcasts<int64_t>(ElementType::kI64); }

TEST(IntegerEltwise, RefusesBadCalls) {
  const IntegerEltwiseParams good{0, 1, 2, 3, 4, 0, 12, 4, 1, 0, 0, 4, 1};
  const Buffer a(ElementType::kI64, 24), b(ElementType::kI64, 12), y(ElementType::kI64, 24);
  const auto refuses = [](const IntegerEltwiseParams& p, const Buffer& u, const Buffer& v, const Buffer& out) {
    return !ValidateOnly({&kernel_integer_eltwise, &p, {&u, &v}, {}, {&out}}).ok();
  };
  ASSERT_FALSE(refuses(good, a, b, y));
  IntegerEltwiseParams other = good;
  other.op = 9;
  EXPECT_TRUE(refuses(other, a, b, y));
  other = good;
  other.d0 = 0;
  EXPECT_TRUE(refuses(other, a, b, Buffer(ElementType::kI64, 0)));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kI64, 23), b, y));
  EXPECT_TRUE(refuses(good, a, Buffer(ElementType::kI64, 11), y));
  EXPECT_TRUE(refuses(good, a, Buffer(ElementType::kI32, 12), y));
  EXPECT_TRUE(refuses(good, a, b, Buffer(ElementType::kI64, 25)));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kF32, 24), Buffer(ElementType::kF32, 12), Buffer(ElementType::kF32, 24)));
}

}  // namespace
}  // namespace lowp::test
