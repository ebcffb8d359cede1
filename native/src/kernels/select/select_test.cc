// Tests of `select`: elements of every size, broadcasting over tiles, calls that are refused.
#include "kernels/select/select.h"

#include "broadcast_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

template <class T>
void ExpectSelects(ElementType type) {
  std::mt19937 random(7);
  for (unsigned round = 0; round < 60; round++) {
    const BroadcastDraw<3> draw(random, round % 20 == 19);
    std::vector<uint8_t> c(draw.elements[0]);
    std::vector<T> a(draw.elements[1]), b(draw.elements[2]), expected;
    for (uint8_t& v : c) v = random() % 2;
    for (T& v : a) v = static_cast<T>(random() % 100);
    for (T& v : b) v = static_cast<T>(random() % 100);
    draw.ForEach([&](const size_t (&at)[3]) { expected.push_back(c[at[0]] ? a[at[1]] : b[at[2]]); });
    SelectParams p{};
    draw.Fill(&p.d0, &p.c_stride0);
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
