// Tests of `lut`: every byte through random tables, all tails.
#include "kernels/lut/lut.h"

#include <numeric>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

std::vector<uint8_t> Compute(const std::vector<uint8_t>& x, const std::vector<uint8_t>& table, Isa isa) {
  const LutParams p{static_cast<uint32_t>(x.size())};
  const Buffer in = Buffer::U8(x), t = Buffer::U8(table);
  Buffer y(ElementType::kU8, x.size());
  RunCall({&kernel_lut, &p, {&in, &t}, {false, true}, {&y}}, isa);
  return y.to_vector<uint8_t>();
}

TEST(Lut, AllBytesThroughRandomTables) {
  std::vector<uint8_t> all(256);
  std::iota(all.begin(), all.end(), uint8_t{0});
  for (unsigned seed = 1; seed < 20; seed++) {
    const std::vector<uint8_t> table = RandomBytes(256, seed);
    for (Isa isa : RunnableIsas()) EXPECT_EQ(Compute(all, table, isa), table) << IsaName(isa);
  }
}

TEST(Lut, TailsAndSeveralTiles) {
  const std::vector<uint8_t> table = RandomBytes(256, 99);
  for (size_t n = 0; n <= 200; n++) {
    const std::vector<uint8_t> x = RandomBytes(n == 200 ? 50001 : n, static_cast<unsigned>(n));
    std::vector<uint8_t> expected;
    for (uint8_t v : x) expected.push_back(table[v]);
    for (Isa isa : RunnableIsas()) ASSERT_EQ(Compute(x, table, isa), expected) << IsaName(isa) << " " << n;
  }
}

TEST(Lut, WorksInPlace) {
  const std::vector<uint8_t> table = RandomBytes(256, 5), x = RandomBytes(1000, 6);
  for (Isa isa : RunnableIsas()) {
    const LutParams p{1000};
    const Buffer t = Buffer::U8(table);
    Buffer data = Buffer::U8(x);
    RunCall({&kernel_lut, &p, {&data, &t}, {false, true}, {&data}}, isa);
    EXPECT_EQ(data.to_vector<uint8_t>(), Compute(x, table, Isa::kScalar));
  }
}

TEST(Lut, RefusesBadCalls) {
  const LutParams p{10};
  const Buffer x(ElementType::kU8, 10), y(ElementType::kU8, 10), table(ElementType::kU8, 256);
  const Buffer long_x(ElementType::kU8, 11), short_table(ElementType::kU8, 255), floats(ElementType::kF32, 10);
  EXPECT_TRUE(ValidateOnly({&kernel_lut, &p, {&x, &table}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_lut, &p, {&long_x, &table}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_lut, &p, {&x, &short_table}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_lut, &p, {&x, &table}, {}, {&floats}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_lut, &p, {&floats, &table}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_lut, &p, {&x}, {}, {&y}}).ok());
}

}  // namespace
}  // namespace lowp::test
