// Tests of `eltwise`: each op by its definition over many broadcasts, every row against it.
#include "kernels/eltwise/eltwise.h"

#include <algorithm>
#include <array>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

using Four = std::array<uint32_t, 4>;

struct Case {
  EltwiseParams p{};
  std::vector<float> a, b;

  Four Sizes() const { return {p.d0, p.d1, p.d2, p.d3}; }
  Four AStrides() const { return {p.a_stride0, p.a_stride1, p.a_stride2, p.a_stride3}; }
  Four BStrides() const { return {p.b_stride0, p.b_stride1, p.b_stride2, p.b_stride3}; }
  size_t Elements() const { return size_t{p.d0} * p.d1 * p.d2 * p.d3; }

  std::vector<float> Run(Isa isa) const {
    const Buffer ba = Buffer::F32(a), bb = Buffer::F32(b);
    Buffer y(ElementType::kF32, Elements());
    RunCall({&kernel_eltwise, &p, {&ba, &bb}, {}, {&y}}, isa);
    return y.to_vector<float>();
  }
};

size_t Needed(const Four& sizes, const Four& strides) {
  size_t last = 0;
  for (size_t i = 0; i < 4; i++) {
    if (sizes[i] == 0) return 0;
    last += size_t{sizes[i] - 1} * strides[i];
  }
  return last + 1;
}

Case MakeCase(uint32_t op, Four d, Four sa, Four sb, unsigned seed, float low, float high) {
  Case c;
  c.p = {op, d[0], d[1], d[2], d[3], sa[0], sa[1], sa[2], sa[3], sb[0], sb[1], sb[2], sb[3], low, high};
  c.a = RandomFloats(Needed(d, sa), seed, -4.0f, 4.0f, true);
  c.b = RandomFloats(Needed(d, sb), seed + 1, -4.0f, 4.0f, true);
  return c;
}

float Apply(uint32_t op, float a, float b) {
  switch (op) {
    case 0:
      return a + b;
    case 1:
      return a - b;
    case 2:
      return a * b;
    case 3:
      return a / b;
    case 4:
      return a > b ? a : b;
    case 5:
      return a < b ? a : b;
    case 6:
      return (a - b) * (a - b);
    default:
      return a < 0 ? a * b : a;
  }
}

std::vector<float> Reference(const Case& c) {
  std::vector<float> y;
  const Four d = c.Sizes(), sa = c.AStrides(), sb = c.BStrides();
  for (size_t i = 0; i < d[0]; i++)
    for (size_t j = 0; j < d[1]; j++)
      for (size_t k = 0; k < d[2]; k++)
        for (size_t l = 0; l < d[3]; l++) {
          float v = Apply(c.p.op, c.a[i * sa[0] + j * sa[1] + k * sa[2] + l * sa[3]],
                          c.b[i * sb[0] + j * sb[1] + k * sb[2] + l * sb[3]]);
          if (c.p.low != -INFINITY || c.p.high != INFINITY) {
            v = v > c.p.low ? v : c.p.low;
            v = v < c.p.high ? v : c.p.high;
          }
          y.push_back(v);
        }
  return y;
}

Four Dense(Four d) { return {d[1] * d[2] * d[3], d[2] * d[3], d[3], 1}; }

TEST(Eltwise, EveryOpAndEveryBroadcast) {
  unsigned seed = 1;
  for (uint32_t op = 0; op < 8; op++)
    for (uint32_t mask = 0; mask < 32; mask++)
      for (Four d : {Four{2, 3, 4, 5}, Four{1, 2, 3, 33}, Four{3, 1, 5, 16}, Four{2, 2, 1, 1}}) {
        // Bits 0..3 of the mask: dimensions over which b, or with bit 4 a, is broadcast.
        Four compact = d, strides{};
        for (size_t i = 0; i < 4; i++)
          if (mask >> i & 1) compact[i] = 1;
        strides = Dense(compact);
        for (size_t i = 0; i < 4; i++)
          if (mask >> i & 1) strides[i] = 0;
        const bool other = mask & 16, clamp = seed % 2;
        const Case c = MakeCase(op, d, other ? strides : Dense(d), other ? Dense(d) : strides, seed,
                                clamp ? -1.0f : -INFINITY, clamp ? 2.5f : INFINITY);
        const std::vector<float> expected = Reference(c);
        for (Isa isa : RunnableIsas())
          ASSERT_TRUE(SameFloats(expected, c.Run(isa)))
              << IsaName(isa) << " op " << op << " mask " << mask << " seed " << seed;
        seed++;
      }
}

TEST(Eltwise, OtherStridesAndPermutedOperands) {
  const Four d{2, 3, 20, 7};
  for (uint32_t op : {0u, 2u, 4u})
    for (Four sb : {Four{420, 1, 21, 3}, Four{1, 2, 6, 120}, Four{0, 0, 0, 0}, Four{5, 0, 3, 2}, Four{420, 140, 7, 1}})
      for (Four sa : {Dense(d), Four{0, 0, 0, 0}, Four{0, 1, 0, 4}}) {
        const Case c = MakeCase(op, d, sa, sb, op + sb[0] + sa[0], -INFINITY, INFINITY);
        for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(Reference(c), c.Run(isa))) << IsaName(isa);
      }
}

TEST(Eltwise, TailsAndSeveralTiles) {
  for (uint32_t n = 0; n <= 70; n++) {
    const Case c = MakeCase(1, {1, 1, 2, n}, {0, 0, n, 1}, {0, 0, 0, 1}, n, -INFINITY, INFINITY);
    for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(Reference(c), c.Run(isa))) << IsaName(isa) << " " << n;
  }
  for (Four d : {Four{1, 1, 1, 50001}, Four{1, 3, 1, 20000}, Four{1, 1, 3000, 24}, Four{7, 100, 5, 9}}) {
    const Case c = MakeCase(0, d, Dense(d), {0, 1, 0, 3}, 7, -INFINITY, 3.0f);
    for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(Reference(c), c.Run(isa))) << IsaName(isa) << " " << d[3];
  }
}

TEST(Eltwise, NanPassesWithoutClampAndBecomesTheLowerBoundWithOne) {
  for (Isa isa : RunnableIsas()) {
    Case c = MakeCase(0, {1, 1, 1, 2}, {0, 0, 0, 1}, {0, 0, 0, 1}, 1, -INFINITY, INFINITY);
    c.a = {NAN, 1.0f};
    c.b = {1.0f, 1.0f};
    EXPECT_TRUE(SameFloats({NAN, 2.0f}, c.Run(isa)));
    c.p.low = 0.0f;
    EXPECT_TRUE(SameFloats({0.0f, 2.0f}, c.Run(isa)));
  }
}

int InplaceInput(const Case& c) {
  const Buffer a = Buffer::F32(c.a), b = Buffer::F32(c.b), y(ElementType::kF32, c.Elements());
  std::vector<Operand> ins, outs;
  CallView view;
  EXPECT_TRUE(Validate({&kernel_eltwise, &c.p, {&a, &b}, {}, {&y}}, &ins, &outs, &view).ok());
  return kernel_eltwise.prepare(view, PrepareContext{}).value()->inplace_input;
}

TEST(Eltwise, SharesMemoryOnlyWhereThatIsSafe) {
  const Four d{2, 3, 4, 5};
  EXPECT_EQ(InplaceInput(MakeCase(0, d, Dense(d), Dense(d), 1, 0, 1)), 0);
  EXPECT_EQ(InplaceInput(MakeCase(0, d, Dense(d), {0, 0, 0, 1}, 1, 0, 1)), 0);
  EXPECT_EQ(InplaceInput(MakeCase(0, d, {0, 0, 0, 1}, Dense(d), 1, 0, 1)), -1);
  EXPECT_EQ(InplaceInput(MakeCase(0, d, Dense(d), {1, 2, 6, 24}, 1, 0, 1)), -1)
      << "b could be a, read in another order";
  const Case c = MakeCase(2, d, Dense(d), {0, 0, 0, 1}, 3, -INFINITY, INFINITY);
  for (Isa isa : RunnableIsas()) {
    Buffer a = Buffer::F32(c.a);
    const Buffer b = Buffer::F32(c.b);
    RunCall({&kernel_eltwise, &c.p, {&a, &b}, {}, {&a}}, isa);
    EXPECT_TRUE(SameFloats(Reference(c), a.to_vector<float>()));
  }
}

TEST(Eltwise, RefusesBadCalls) {
  const Four d{2, 3, 4, 5};
  const Case good = MakeCase(0, d, Dense(d), {0, 0, 0, 1}, 1, 0, 1);
  const auto ok = [&](const EltwiseParams& p, const Buffer& a, const Buffer& b, const Buffer& y) {
    return ValidateOnly({&kernel_eltwise, &p, {&a, &b}, {}, {&y}}).ok();
  };
  const Buffer a = Buffer::F32(good.a), b = Buffer::F32(good.b), y(ElementType::kF32, 120);
  const Buffer small(ElementType::kF32, 4), bytes(ElementType::kU8, 120);
  EXPECT_TRUE(ok(good.p, a, b, y));
  EXPECT_FALSE(ok(good.p, small, b, y));
  EXPECT_FALSE(ok(good.p, a, small, y));
  EXPECT_FALSE(ok(good.p, a, b, small));
  EXPECT_FALSE(ok(good.p, bytes, b, y));
  EXPECT_FALSE(ok(good.p, a, b, bytes));
  EXPECT_FALSE(ok(good.p, a, Buffer::Absent(), y));
  EltwiseParams p = good.p;
  p.op = 8;
  EXPECT_FALSE(ok(p, a, b, y));
  p = good.p;
  p.b_stride0 = ~0u;
  EXPECT_FALSE(ok(p, a, b, y));
  p = {0, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0, 0, 0, 0, 0, 1};
  EXPECT_FALSE(ok(p, a, b, y));
}

}  // namespace
}  // namespace lowp::test
