// Tests of `observe_clamp`: against `observe` before and behind a clamp, in place, with elements that are not finite.
#include "kernels/observe/observe_clamp.h"

#include <algorithm>
#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"
#include "kernels/observe/observe.h"

namespace lowp::test {
namespace {

struct Results {
  std::vector<float> y, before, after;
};

Results Compute(const ObserveClampParams& p, const std::vector<float>& x, Isa isa, bool inplace, unsigned seed) {
  const size_t rows = 5 * size_t{p.items} * (p.per_channel ? p.channels : 1);
  Buffer in = Buffer::F32(x), out(ElementType::kF32, x.size());
  Buffer before(ElementType::kF32, rows), after(ElementType::kF32, rows);
  const Buffer& y = inplace ? in : out;
  RunCall({&kernel_observe_clamp, &p, {&in}, {}, {&y, &before, &after}}, isa, seed);
  return {y.to_vector<float>(), before.to_vector<float>(), after.to_vector<float>()};
}

std::vector<float> Observed(const ObserveClampParams& p, const std::vector<float>& x) {
  const ObserveParams plain{p.outer, p.channels, p.inner, p.per_channel, p.items, 1};
  const Buffer in = Buffer::F32(x);
  Buffer y(ElementType::kF32, 5 * size_t{p.items} * (p.per_channel ? p.channels : 1));
  RunCall({&kernel_observe, &plain, {&in}, {}, {&y}}, Isa::kScalar);
  return y.to_vector<float>();
}

std::vector<ObserveClampParams> Shapes() {
  std::vector<ObserveClampParams> all;
  for (uint32_t per_channel : {0u, 1u})
    for (uint32_t channels : {1u, 3u, 8u, 15u, 16u, 17u, 33u, 64u, 65u, 131u})
      for (uint32_t inner : {1u, 2u, 15u, 16u, 33u})
        for (uint32_t outer : {1u, 3u, 300u}) all.push_back({outer, channels, inner, per_channel, 0, INFINITY, 1, 1});
  all.push_back({3, 2, 16385, 1, 0, 6, 1, 1});
  all.push_back({1, 1, 70001, 0, -1, 2, 1, 1});
  all.push_back({1025, 70, 1, 1, -1, 2, 1, 1});
  for (uint32_t inner : {1u, 9u}) all.push_back({5, 33, inner, 1, -1, 2, 3, 1});
  all.push_back({5, 33, 9, 0, -1, 2, 3, 1});
  return all;
}

TEST(ObserveClamp, EqualsObserveClampObserve) {
  unsigned seed = 1;
  for (const ObserveClampParams& p : Shapes()) {
    const std::vector<float> x = RandomFloats(size_t{p.items} * p.outer * p.channels * p.inner, ++seed, -3.0f, 8.0f, false);
    std::vector<float> clamped;
    for (float v : x) clamped.push_back(std::min(std::max(v, p.low), p.high));
    const std::vector<float> before = Observed(p, x), after = Observed(p, clamped);
    for (Isa isa : RunnableIsas())
      for (bool inplace : {false, true}) {
        const Results r = Compute(p, x, isa, inplace, seed);
        ASSERT_TRUE(SameFloats(clamped, r.y)) << IsaName(isa);
        ASSERT_TRUE(SameFloats(before, r.before)) << IsaName(isa) << " channels " << p.channels << " inner " << p.inner;
        ASSERT_TRUE(SameFloats(after, r.after)) << IsaName(isa) << " channels " << p.channels << " inner " << p.inner;
      }
  }
}

TEST(ObserveClamp, LeavesOutChunksThatAreNotFinite) {
  unsigned seed = 1;
  for (const ObserveClampParams& p : Shapes()) {
    std::vector<float> x = RandomFloats(size_t{p.items} * p.outer * p.channels * p.inner, ++seed, -3.0f, 8.0f, false);
    const float odd[] = {NAN, INFINITY, -INFINITY};
    x[x.size() / 3] = odd[seed % 3];
    const Results scalar = Compute(p, x, Isa::kScalar, false, seed);
    const size_t channels = p.per_channel ? p.channels : 1, results = p.items * channels, at = x.size() / 3;
    const size_t broken = at / (x.size() / p.items) * channels + at / p.inner % channels;
    for (size_t r = 0; r < results; r++) EXPECT_EQ(scalar.before[4 * results + r] > 0, r == broken);
    for (float v : scalar.before) EXPECT_TRUE(std::isfinite(v));
    for (float v : scalar.after) EXPECT_TRUE(std::isfinite(v));
    for (Isa isa : RunnableIsas())
      for (bool inplace : {false, true}) {
        const Results r = Compute(p, x, isa, inplace, seed + 1);
        ASSERT_TRUE(SameFloats(scalar.y, r.y)) << IsaName(isa);
        ASSERT_TRUE(SameFloats(scalar.before, r.before)) << IsaName(isa);
        ASSERT_TRUE(SameFloats(scalar.after, r.after)) << IsaName(isa);
      }
  }
}

// Everything else is what it is with the means, chunks that are not finite included.
TEST(ObserveClamp, LeavesOutTheMeansOfX) {
  unsigned seed = 1;
  for (const ObserveClampParams& p : Shapes())
    for (bool specials : {false, true}) {
      std::vector<float> x = RandomFloats(size_t{p.items} * p.outer * p.channels * p.inner, ++seed, -3.0f, 8.0f, false);
      if (specials) x[x.size() / 3] = NAN;
      Results wanted = Compute(p, x, Isa::kScalar, false, seed);
      const size_t results = size_t{p.items} * (p.per_channel ? p.channels : 1);
      std::fill_n(wanted.before.begin() + static_cast<ptrdiff_t>(3 * results), results, 0.0f);
      ObserveClampParams without = p;
      without.mean = 0;
      for (Isa isa : RunnableIsas()) {
        const Results r = Compute(without, x, isa, true, seed);
        ASSERT_TRUE(SameFloats(wanted.y, r.y)) << IsaName(isa);
        ASSERT_TRUE(SameFloats(wanted.before, r.before)) << IsaName(isa) << " channels " << p.channels;
        ASSERT_TRUE(SameFloats(wanted.after, r.after)) << IsaName(isa) << " channels " << p.channels;
      }
    }
}

TEST(ObserveClamp, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 24), y(ElementType::kF32, 24), rows(ElementType::kF32, 15), other(ElementType::kF32, 14);
  const auto ok = [&](const ObserveClampParams& p, std::vector<const Buffer*> out) {
    return ValidateOnly({&kernel_observe_clamp, &p, {&x}, {}, std::move(out)}).ok();
  };
  const ObserveClampParams good{2, 3, 4, 1, 0, 6, 1, 1};
  EXPECT_TRUE(ok(good, {&y, &rows, &rows}));
  EXPECT_TRUE(ok(good, {&y, &rows}));
  EXPECT_FALSE(ok(good, {&y}));
  EXPECT_FALSE(ok(good, {&rows, &rows, &rows}));
  EXPECT_FALSE(ok(good, {&y, &other}));
  EXPECT_FALSE(ok(good, {&y, &rows, &other}));
  EXPECT_FALSE(ok({2, 3, 4, 1, 0, 6, 1, 2}, {&y, &rows}));
  EXPECT_FALSE(ok({2, 3, 4, 1, 6, 0, 1, 1}, {&y, &rows}));
  EXPECT_FALSE(ok({2, 3, 4, 1, NAN, 6, 1, 1}, {&y, &rows}));
  EXPECT_FALSE(ok({2, 0, 4, 1, 0, 6, 1, 1}, {&y, &rows}));
  EXPECT_FALSE(ok({2, 3, 4, 1, 0, 6, 0, 1}, {&y, &rows}));
  EXPECT_FALSE(ok({2, 3, 5, 1, 0, 6, 1, 1}, {&y, &rows}));
  EXPECT_FALSE(ok({~0u, ~0u, ~0u, 0, 0, 6, 1, 1}, {&y, &rows}));
}

}  // namespace
}  // namespace lowp::test
