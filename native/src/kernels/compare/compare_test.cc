// Tests of `compare`: every relation of every type, NaN, broadcasting over tiles, calls that are refused.
#include "kernels/compare/compare.h"

#include <cmath>
#include <limits>

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
    const auto up_to = [&](uint32_t most) { return static_cast<uint32_t>(1 + random() % most); };
    const uint32_t d[4] = {up_to(3), up_to(3), up_to(5), round % 20 == 19 ? 20000u : up_to(70)};
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
    std::vector<int32_t> a(elements[0]), b(elements[1]);
    for (int32_t& v : a) v = static_cast<int32_t>(random() % 5);
    for (int32_t& v : b) v = static_cast<int32_t>(random() % 5);
    Truths expected;
    for (uint32_t i0 = 0; i0 < d[0]; i0++)
      for (uint32_t i1 = 0; i1 < d[1]; i1++)
        for (uint32_t i2 = 0; i2 < d[2]; i2++)
          for (uint32_t i3 = 0; i3 < d[3]; i3++) {
            const auto at = [&](int s) {
              return i0 * strides[s][0] + i1 * strides[s][1] + i2 * strides[s][2] + i3 * strides[s][3];
            };
            expected.push_back(a[at(0)] < b[at(1)]);
          }
    const CompareParams p{2,
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
