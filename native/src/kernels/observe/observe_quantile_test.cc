// Tests of `observe_quantile`: against sorting, for every rank that matters, layout, thread split and special value.
#include "kernels/observe/observe_quantile.h"

#include <algorithm>
#include <cmath>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

size_t Results(const ObserveQuantileParams& p) { return size_t{p.items} * (p.per_channel ? p.channels : 1); }

std::vector<float> Compute(const ObserveQuantileParams& p, const std::vector<float>& x, Isa isa, unsigned seed = 1) {
  const Buffer in = Buffer::F32(x);
  Buffer y(ElementType::kF32, 2 * Results(p));
  RunCall({&kernel_observe_quantile, &p, {&in}, {}, {&y}}, isa, seed);
  return y.to_vector<float>();
}

std::vector<float> Sorted(const ObserveQuantileParams& p, const std::vector<float>& x) {
  std::vector<std::vector<float>> all(Results(p));
  const size_t item = size_t{p.outer} * p.channels * p.inner;
  for (size_t i = 0; i < x.size(); i++)
    all[i / item * (p.per_channel ? p.channels : 1) + (p.per_channel ? i / p.inner % p.channels : 0)].push_back(
        (p.absolute ? std::fabs(x[i]) : x[i]) + 0.0f);
  std::vector<float> y(2 * all.size());
  for (size_t r = 0; r < all.size(); r++) {
    std::sort(all[r].begin(), all[r].end());
    y[r] = all[r][p.rank];
    y[all.size() + r] = all[r][std::min<size_t>(p.rank + 1, all[r].size() - 1)];
  }
  return y;
}

std::vector<ObserveQuantileParams> Shapes() {
  std::vector<ObserveQuantileParams> all;
  for (uint32_t absolute : {0u, 1u})
    for (uint32_t per_channel : {0u, 1u})
      for (uint32_t items : {1u, 3u}) {
        all.push_back({1, 1, 1, per_channel, items, 0, absolute});
        all.push_back({7, 3, 5, per_channel, items, 0, absolute});
        all.push_back({300, 17, 1, per_channel, items, 0, absolute});
        all.push_back({2, 2, 40000, per_channel, items, 0, absolute});
      }
  return all;
}

void ExpectEveryRank(ObserveQuantileParams p, const std::vector<float>& x) {
  const uint32_t count = static_cast<uint32_t>(x.size() / Results(p));
  for (uint32_t rank : {0u, 1u, count / 100, count / 2, count - count / 1000 - 1, count - 2, count - 1}) {
    if (rank >= count) continue;
    p.rank = rank;
    const std::vector<float> wanted = Sorted(p, x);
    for (unsigned seed : {1u, 2u})
      ASSERT_TRUE(SameFloats(wanted, Compute(p, x, RunnableIsas().back(), seed)))
          << "rank " << rank << " of " << count << " outer " << p.outer << " channels " << p.channels;
  }
}

TEST(ObserveQuantile, EqualsSorting) {
  unsigned seed = 1;
  for (const ObserveQuantileParams& p : Shapes())
    ExpectEveryRank(p, RandomFloats(size_t{p.items} * p.outer * p.channels * p.inner, ++seed, -3.0f, 5.0f, false));
}

TEST(ObserveQuantile, FindsNeighboursThatPartAtAnyBit) {
  for (const float gap : {0x1p-23f, 0x1p-14f, 0x1p-3f, 1.0f, 1e20f})
    for (const float from : {1.0f, -1.0f}) {
      std::vector<float> x;
      for (int i = 0; i < 40; i++) x.push_back(i % 2 ? from : from + gap);
      ExpectEveryRank({1, 1, 40, 0, 1, 0, 0}, x);
      ExpectEveryRank({1, 1, 40, 0, 1, 0, 1}, x);
    }
}

TEST(ObserveQuantile, TakesZerosDenormalsAndTheLargest) {
  const float tiny = 1e-45f, huge = 3.4028235e38f;
  ExpectEveryRank({1, 1, 12, 0, 1, 0, 0}, {0.0f, -0.0f, tiny, -tiny, huge, -huge, 1, 1, -0.0f, 0.0f, 2 * tiny, -1});
  ExpectEveryRank({1, 1, 12, 0, 1, 0, 1}, {0.0f, -0.0f, tiny, -tiny, huge, -huge, 1, 1, -0.0f, 0.0f, 2 * tiny, -1});
  ExpectEveryRank({1, 1, 70000, 0, 1, 0, 0}, std::vector<float>(70000, -0.25f));
  std::vector<float> rectified = RandomFloats(200000, 5, -3.0f, 5.0f, false);
  for (float& v : rectified) v = std::max(v, 0.0f);
  ExpectEveryRank({1, 1, 200000, 0, 1, 0, 0}, rectified);
}

TEST(ObserveQuantile, InfinitiesAreBeyondNumbers) {
  EXPECT_TRUE(SameFloats({-INFINITY, 1}, Compute({1, 1, 3, 0, 1, 0, 0}, {1, INFINITY, -INFINITY}, Isa::kScalar)));
  EXPECT_TRUE(SameFloats({1, INFINITY}, Compute({1, 1, 3, 0, 1, 0, 1}, {1, INFINITY, -INFINITY}, Isa::kScalar)));
}

TEST(ObserveQuantile, NoElementsGiveZeros) {
  EXPECT_TRUE(SameFloats({0, 0}, Compute({0, 1, 1, 0, 1, 0, 0}, {}, Isa::kScalar)));
  EXPECT_TRUE(SameFloats({0, 0, 0, 0}, Compute({3, 2, 0, 1, 1, 0, 0}, {}, Isa::kScalar)));
}

TEST(ObserveQuantile, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 24), y(ElementType::kF32, 6), other(ElementType::kF32, 23);
  const Buffer bytes(ElementType::kU8, 24);
  const auto ok = [](const ObserveQuantileParams& p, const Buffer& in, const Buffer& out) {
    return ValidateOnly({&kernel_observe_quantile, &p, {&in}, {}, {&out}}).ok();
  };
  EXPECT_TRUE(ok({2, 3, 4, 1, 1, 7, 0}, x, y));
  EXPECT_FALSE(ok({2, 3, 4, 1, 1, 8, 0}, x, y));
  EXPECT_FALSE(ok({2, 3, 4, 1, 1, 0, 2}, x, y));
  EXPECT_FALSE(ok({2, 3, 4, 2, 1, 0, 0}, x, y));
  EXPECT_FALSE(ok({2, 3, 4, 1, 0, 0, 0}, x, y));
  EXPECT_FALSE(ok({2, 0, 4, 1, 1, 0, 0}, x, y));
  EXPECT_FALSE(ok({2, 3, 4, 1, 1, 0, 0}, other, y));
  EXPECT_FALSE(ok({2, 3, 4, 1, 1, 0, 0}, bytes, y));
  EXPECT_FALSE(ok({2, 3, 4, 0, 1, 0, 0}, x, y));
  EXPECT_FALSE(ok({~0u, ~0u, ~0u, 0, 1, 0, 0}, x, y));
}

}  // namespace
}  // namespace lowp::test
