// Tests of `select`: elements of every size, broadcasting over tiles, calls that are refused.
#include "kernels/select/select.h"

#include "kernel_harness.h"

namespace lowp::test {
namespace {

template <class T>
void ExpectSelects(ElementType type) {
  std::mt19937 random(7);
  for (unsigned round = 0; round < 60; round++) {
    const auto up_to = [&](uint32_t most) { return static_cast<uint32_t>(1 + random() % most); };
    const uint32_t d[4] = {up_to(3), up_to(3), up_to(5), round % 20 == 19 ? 20000u : up_to(70)};
    uint32_t strides[3][4], elements[3];
    for (int side = 0; side < 3; side++) {
      uint32_t step = 1;
      for (int j = 3; j >= 0; j--) {
        const bool repeats = random() % 3 == 0;
        strides[side][j] = repeats ? 0 : step;
        if (!repeats) step *= d[j];
      }
      elements[side] = step;
    }
    std::vector<uint8_t> c(elements[0]);
    std::vector<T> a(elements[1]), b(elements[2]), expected;
    for (uint8_t& v : c) v = random() % 2;
    for (T& v : a) v = static_cast<T>(random() % 100);
    for (T& v : b) v = static_cast<T>(random() % 100);
    for (uint32_t i0 = 0; i0 < d[0]; i0++)
      for (uint32_t i1 = 0; i1 < d[1]; i1++)
        for (uint32_t i2 = 0; i2 < d[2]; i2++)
          for (uint32_t i3 = 0; i3 < d[3]; i3++) {
            const auto at = [&](int s) {
              return i0 * strides[s][0] + i1 * strides[s][1] + i2 * strides[s][2] + i3 * strides[s][3];
            };
            expected.push_back(c[at(0)] ? a[at(1)] : b[at(2)]);
          }
    SelectParams p{d[0], d[1], d[2], d[3], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    std::copy(strides[0], strides[0] + 4, &p.c_stride0);
    std::copy(strides[1], strides[1] + 4, &p.a_stride0);
    std::copy(strides[2], strides[2] + 4, &p.b_stride0);
    const Buffer condition = Buffer::Of(ElementType::kBoolean, c), u = Buffer::Of(type, a), v = Buffer::Of(type, b);
    Buffer y(type, expected.size());
    for (Isa isa : RunnableIsas()) {
      RunCall({&kernel_select, &p, {&condition, &u, &v}, {}, {&y}}, isa, round);
      ASSERT_EQ(y.to_vector<T>(), expected) << round;
    }
  }
}

TEST(Select, OneByte) { ExpectSelects<uint8_t>(ElementType::kBoolean); }
TEST(Select, TwoBytes) { ExpectSelects<int16_t>(ElementType::kI16); }
TEST(Select, FourBytes) { ExpectSelects<float>(ElementType::kF32); }
TEST(Select, EightBytes) { ExpectSelects<int64_t>(ElementType::kI64); }

TEST(Select, RefusesBadCalls) {
  const SelectParams good{1, 2, 3, 4, 0, 0, 4, 1, 0, 12, 4, 1, 0, 0, 0, 0};
  const Buffer c(ElementType::kBoolean, 12), a(ElementType::kF32, 24), b(ElementType::kF32, 1);
  const Buffer y(ElementType::kF32, 24);
  const auto refuses = [](const SelectParams& p, const Buffer& t, const Buffer& u, const Buffer& v, const Buffer& out) {
    return !ValidateOnly({&kernel_select, &p, {&t, &u, &v}, {}, {&out}}).ok();
  };
  ASSERT_FALSE(refuses(good, c, a, b, y));
  SelectParams other = good;
  other.d0 = 0;
  EXPECT_TRUE(refuses(other, c, a, b, Buffer(ElementType::kF32, 0)));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kBoolean, 11), a, b, y));
  EXPECT_TRUE(refuses(good, c, Buffer(ElementType::kF32, 23), b, y));
  EXPECT_TRUE(refuses(good, c, a, Buffer(ElementType::kF32, 0), y));
  EXPECT_TRUE(refuses(good, Buffer(ElementType::kU8, 12), a, b, y));
  EXPECT_TRUE(refuses(good, c, a, Buffer(ElementType::kI32, 1), y));
  EXPECT_TRUE(refuses(good, c, a, b, Buffer(ElementType::kF32, 23)));
  EXPECT_TRUE(refuses(good, c, a, b, Buffer(ElementType::kI32, 24)));
}

}  // namespace
}  // namespace lowp::test
