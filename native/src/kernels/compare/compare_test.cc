// Tests of `compare`: every relation of every type, NaN, broadcasting over tiles, calls that are refused.
#include "kernels/compare/compare.h"

#include <cmath>
#include <limits>

#include "broadcast_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

template <class T>
std::vector<uint8_t> Flat(uint32_t op, ElementType type, const std::vector<T>& a, const std::vector<T>& b) {
  const uint32_t n = static_cast<uint32_t>(a.size());
  const CompareParams p{op, 1, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1};
  const Buffer u = Buffer::Of(type, a), v = Buffer::Of(type, b);
  Buffer y(ElementType::kBoolean, n);
  RunCall({&kernel_compare, &p, {&u, &v}, {}, {&y}}, Isa::kScalar);
  return y.to_vector<uint8_t>();
}

using Truths = std::vector<uint8_t>;

template <class T>
void ExpectRelations(ElementType type, T least, T most) {
  const std::vector<T> a = {1, 2, 3, least, most}, b = {2, 2, 2, most, least};
  const Truths expected[] = {{0, 1, 0, 0, 0}, {1, 0, 1, 1, 1}, {1, 0, 0, 1, 0},
                             {1, 1, 0, 1, 0}, {0, 0, 1, 0, 1}, {0, 1, 1, 0, 1}};
  for (uint32_t op = 0; op < 6; op++) EXPECT_EQ(Flat(op, type, a, b), expected[op]) << op;
}

TEST(Compare, ComparesI32) { ExpectRelations<int32_t>(ElementType::kI32, INT32_MIN, INT32_MAX); }
TEST(Compare, ComparesI64) { ExpectRelations<int64_t>(ElementType::kI64, INT64_MIN, INT64_MAX); }
TEST(Compare, ComparesF32) {
  const float infinity = std::numeric_limits<float>::infinity();
  ExpectRelations<float>(ElementType::kF32, -infinity, infinity);
}

TEST(Compare, IsFalseForNaNButNotEqual) {
  const std::vector<float> a = {NAN, 1, NAN, 0.0f}, b = {1, NAN, NAN, -0.0f};
  for (uint32_t op = 0; op < 6; op++) {
    const uint8_t differs = op == 1;
    const uint8_t zeros = op == 0 || op == 3 || op == 5;
    EXPECT_EQ(Flat(op, ElementType::kF32, a, b), (Truths{differs, differs, differs, zeros})) << op;
  }
}

TEST(Compare, JoinsBooleans) {
  const Truths a = {0, 0, 1, 1}, b = {0, 1, 0, 1};
  const Truths expected[] = {{1, 0, 0, 1}, {0, 1, 1, 0}, {0, 1, 0, 0}, {1, 1, 0, 1},
                             {0, 0, 1, 0}, {1, 0, 1, 1}, {0, 0, 0, 1}, {0, 1, 1, 1}};
  for (uint32_t op = 0; op < 8; op++) EXPECT_EQ(Flat(op, ElementType::kBoolean, a, b), expected[op]) << op;
}

TEST(Compare, Broadcasts) {
  std::mt19937 random(5);
  for (unsigned round = 0; round < 60; round++) {
    const BroadcastDraw<2> draw(random, round % 20 == 19);
    std::vector<int32_t> a(draw.elements[0]), b(draw.elements[1]);
    for (int32_t& v : a) v = static_cast<int32_t>(random() % 5);
    for (int32_t& v : b) v = static_cast<int32_t>(random() % 5);
    Truths expected;
    draw.ForEach([&](const size_t (&at)[2]) { expected.push_back(a[at[0]] < b[at[1]]); });
    CompareParams p{};
    p.op = 2;
    draw.Fill(&p.d0, &p.a_stride0);
    const Buffer u = Buffer::Of(ElementType::kI32, a), v = Buffer::Of(ElementType::kI32, b);
    Buffer y(ElementType::kBoolean, expected.size());
    for (Isa isa : RunnableIsas()) {
      RunCall({&kernel_compare, &p, {&u, &v}, {}, {&y}}, isa, round);
      ASSERT_EQ(y.to_vector<uint8_t>(), expected) << round;
    }
  }
}

TEST(Compare, RefusesBadCalls) {
  const CompareParams good{0, 1, 2, 3, 4, 0, 12, 4, 1, 0, 0, 4, 1};
  const Buffer a(ElementType::kI64, 24), b(ElementType::kI64, 12), y(ElementType::kBoolean, 24);
  const auto refuses = [](const CompareParams& p, const Buffer& u, const Buffer& v, const Buffer& out) {
    return !ValidateOnly({&kernel_compare, &p, {&u, &v}, {}, {&out}}).ok();
  };
  ASSERT_FALSE(refuses(good, a, b, y));
  CompareParams other = good;
  other.op = 6;
  EXPECT_TRUE(refuses(other, a, b, y));
  other = good;
  other.d0 = 0;
  EXPECT_TRUE(refuses(other, a, b, Buffer(ElementType::kBoolean, 0)));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kI64, 23), b, y));
  EXPECT_TRUE(refuses(good, a, Buffer(ElementType::kI64, 11), y));
  EXPECT_TRUE(refuses(good, a, Buffer(ElementType::kI32, 12), y));
  EXPECT_TRUE(refuses(good, a, b, Buffer(ElementType::kU8, 24)));
  EXPECT_TRUE(refuses(good, a, b, Buffer(ElementType::kBoolean, 25)));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kU8, 24), Buffer(ElementType::kU8, 12), y));
}

}  // namespace
}  // namespace lowp::test
