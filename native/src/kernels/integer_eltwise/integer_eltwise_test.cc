// Tests of `integer_eltwise`: every function with broadcasting, ends of the range, tiles, calls that are refused.
#include "kernels/integer_eltwise/integer_eltwise.h"

#include <cmath>
#include <limits>

#include "broadcast_data.h"
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
void ExpectMovesBits(ElementType type) {
  constexpr T kLeast = std::numeric_limits<T>::min(), kMost = std::numeric_limits<T>::max();
  constexpr T kBits = sizeof(T) * 8;
  const std::vector<T> a = {12, -1, kLeast, 5, -5, 5, -5, 1, 7, -8, kMost}, b = {10, 6, -1, 1, 1, -1, -1, kBits - 1,
                                                                                kBits, kBits, kLeast};
  const auto run = [&](uint32_t op) { return Flat(op, type, a, b); };
  EXPECT_EQ(run(9), (std::vector<T>{8, 6, kLeast, 1, 1, 5, -5, 1, 7 & kBits, -8 & kBits, 0}));
  EXPECT_EQ(run(10), (std::vector<T>{14, -1, -1, 5, -5, -1, -1, kBits - 1, 7 | kBits, -8 | kBits, -1}));
  EXPECT_EQ(run(11), (std::vector<T>{6, -7, kMost, 4, -6, -6, 4, kBits - 2, 7 ^ kBits, -8 ^ kBits, -1}));
  EXPECT_EQ(run(12), (std::vector<T>{12 << 10, -64, kLeast / 2, 10, -10, 2, -3, kLeast, 0, 0, 0}));
  EXPECT_EQ(run(13), (std::vector<T>{0, -1, 0, 2, -3, 10, -10, 0, 0, -1, 0}));
}

TEST(IntegerEltwise, MovesBitsOfI32) { ExpectMovesBits<int32_t>(ElementType::kI32); }
TEST(IntegerEltwise, MovesBitsOfI64) { ExpectMovesBits<int64_t>(ElementType::kI64); }

template <class T>
void ExpectBroadcasts(ElementType type) {
  std::mt19937 random(3);
  for (int round = 0; round < 60; round++) {
    const BroadcastDraw<2> draw(random, round % 20 == 19);
    std::vector<T> a(draw.elements[0]), b(draw.elements[1]), expected;
    for (T& v : a) v = static_cast<T>(random() % 2001) - 1000;
    for (T& v : b) v = static_cast<T>(random() % 1000) + 1;
    const uint32_t op = random() % 9;
    draw.ForEach([&](const size_t (&at)[2]) {
      const T u = a[at[0]], v = b[at[1]];
      const T results[] = {static_cast<T>(u + v), static_cast<T>(u - v), static_cast<T>(u * v), std::max(u, v),
                           std::min(u, v), static_cast<T>(std::floor(static_cast<double>(u) / static_cast<double>(v))),
                           static_cast<T>(u / v), static_cast<T>(u % v), static_cast<T>((u % v + v) % v)};
      expected.push_back(results[op]);
    });
    IntegerEltwiseParams p{};
    p.op = op;
    draw.Fill(&p.d0, &p.a_stride0);
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
  other.op = 14;
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
