// Tests of `observe`: against a plain reference, independence of tiles and rows, non-finite elements.
#include "kernels/observe/observe.h"

#include <algorithm>
#include <array>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

std::vector<float> Compute(const ObserveParams& p, const std::vector<float>& x, Isa isa, unsigned seed = 1) {
  const Buffer in = Buffer::F32(x);
  Buffer y(ElementType::kF32, 5 * size_t{p.items} * (p.per_channel ? p.channels : 1));
  RunCall({&kernel_observe, &p, {&in}, {}, {&y}}, isa, seed);
  return y.to_vector<float>();
}

std::vector<float> MakeInput(const ObserveParams& p, unsigned seed, bool specials) {
  return RandomFloats(size_t{p.items} * p.outer * p.channels * p.inner, seed, -3.0f, 5.0f, specials);
}

struct Statistics {
  float min = INFINITY, max = -INFINITY;
  long double sum = 0, magnitude = 0;
  size_t finite = 0, non_finite = 0;

  void Take(float x) {
    if (!std::isfinite(x)) {
      non_finite++;
      return;
    }
    finite++;
    min = std::min(min, x);
    max = std::max(max, x);
    sum += x;
    magnitude += std::fabs(x);
  }
};

// Equal extremes and counts; the mean within half an ulp of float and the roundings of a sum in double.
void ExpectStatistics(const ObserveParams& p, const std::vector<float>& x, const std::vector<float>& y) {
  const size_t channels = p.per_channel ? p.channels : 1;
  std::vector<Statistics> all(channels);
  for (size_t i = 0; i < x.size(); i++) all[i / p.inner % channels].Take(x[i]);
  for (size_t c = 0; c < channels; c++) {
    const Statistics& s = all[c];
    const long double mean = s.finite ? s.sum / s.finite : 0;
    ASSERT_EQ(y[c], s.finite ? s.min : 0.0f) << "min of channel " << c;
    ASSERT_EQ(y[channels + c], s.finite ? s.max : 0.0f) << "max of channel " << c;
    ASSERT_EQ(y[2 * channels + c], s.finite ? std::max(std::fabs(s.min), std::fabs(s.max)) : 0.0f);
    const long double tolerance = std::fabs(mean) * 0x1p-24L + s.magnitude * 0x1p-52L + 0x1p-149L;
    ASSERT_NEAR(y[3 * channels + c], static_cast<double>(mean), static_cast<double>(tolerance));
    ASSERT_EQ(y[4 * channels + c], static_cast<float>(s.non_finite));
  }
}

std::vector<ObserveParams> Shapes() {
  std::vector<ObserveParams> all;
  for (uint32_t per_channel : {0u, 1u})
    for (uint32_t channels : {1u, 3u, 8u, 15u, 16u, 17u, 33u, 64u, 65u, 100u, 131u})
      for (uint32_t inner : {1u, 2u, 15u, 16u, 33u, 49u})
        for (uint32_t outer : {1u, 3u, 300u}) all.push_back({outer, channels, inner, per_channel, 1, 1});
  for (uint32_t per_channel : {0u, 1u}) {
    all.push_back({1, 2, 40000, per_channel, 1, 1});
    all.push_back({3, 2, 16384, per_channel, 1, 1});
    all.push_back({3, 2, 16385, per_channel, 1, 1});
    all.push_back({900, 5, 70, per_channel, 1, 1});
    all.push_back({1025, 70, 1, per_channel, 1, 1});
  }
  return all;
}

TEST(Observe, StatisticsOfFiniteInput) {
  unsigned seed = 1;
  for (const ObserveParams& p : Shapes()) {
    const std::vector<float> x = MakeInput(p, seed++, false), scalar = Compute(p, x, Isa::kScalar);
    ExpectStatistics(p, x, scalar);
    for (Isa isa : RunnableIsas())
      for (unsigned tiles : {1u, 2u})
        ASSERT_TRUE(SameFloats(scalar, Compute(p, x, isa, tiles)))
            << IsaName(isa) << " outer " << p.outer << " channels " << p.channels << " inner " << p.inner;
  }
}

TEST(Observe, ItemsHaveTheStatisticsThatTheyHaveAlone) {
  unsigned seed = 1;
  for (ObserveParams p : Shapes()) {
    const size_t results = p.per_channel ? p.channels : 1;
    p.items = 3;
    const std::vector<float> x = MakeInput(p, seed++, true);
    std::vector<float> wanted(5 * 3 * results);
    for (size_t item = 0; item < 3; item++) {
      const size_t n = x.size() / 3;
      const std::vector<float> part(x.begin() + item * n, x.begin() + (item + 1) * n);
      const std::vector<float> y = Compute({p.outer, p.channels, p.inner, p.per_channel, 1, 1}, part, Isa::kScalar);
      for (size_t row = 0; row < 5; row++)
        std::copy_n(y.begin() + row * results, results, wanted.begin() + (row * 3 + item) * results);
    }
    for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(wanted, Compute(p, x, isa))) << IsaName(isa);
  }
}

TEST(Observe, WithoutTheMeanTheRestIsTheSame) {
  unsigned seed = 1;
  for (ObserveParams p : Shapes()) {
    const size_t results = p.per_channel ? p.channels : 1;
    std::vector<float> x = MakeInput(p, seed++, true);
    if (!x.empty()) x[seed % x.size()] = NAN;
    std::vector<float> wanted = Compute(p, x, Isa::kScalar);
    std::fill_n(wanted.begin() + 3 * results, results, 0.0f);
    p.mean = 0;
    for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(wanted, Compute(p, x, isa))) << IsaName(isa);
  }
}

TEST(Observe, NonFiniteElementsAreOnlyCounted) {
  unsigned seed = 1;
  for (const ObserveParams& p : Shapes()) {
    std::vector<float> x = MakeInput(p, seed++, false);
    std::mt19937 random(seed);
    const float odd[] = {NAN, INFINITY, -INFINITY};
    for (float& v : x)
      if (random() % 50 == 0) v = odd[random() % 3];
    const std::vector<float> scalar = Compute(p, x, Isa::kScalar);
    ExpectStatistics(p, x, scalar);
    for (Isa isa : RunnableIsas())
      ASSERT_TRUE(SameFloats(scalar, Compute(p, x, isa)))
          << IsaName(isa) << " outer " << p.outer << " channels " << p.channels << " inner " << p.inner;
  }
}

TEST(Observe, SpecialValuesGiveTheSameBitsInEveryRow) {
  for (const ObserveParams& p : Shapes()) {
    const std::vector<float> x = MakeInput(p, 7, true);
    const std::vector<float> scalar = Compute(p, x, Isa::kScalar);
    for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(scalar, Compute(p, x, isa))) << IsaName(isa);
  }
}

TEST(Observe, TailsOfEveryLength) {
  for (uint32_t n = 0; n <= 70; n++)
    for (const ObserveParams p : {ObserveParams{1, 1, n, 0, 1, 1}, ObserveParams{2, 3, n, 1, 1, 1}, ObserveParams{n, 5, 1, 1, 1, 1}}) {
      const std::vector<float> x = MakeInput(p, n, false);
      if (!x.empty()) ExpectStatistics(p, x, Compute(p, x, Isa::kScalar));
      for (Isa isa : RunnableIsas()) ASSERT_TRUE(SameFloats(Compute(p, x, Isa::kScalar), Compute(p, x, isa))) << n;
    }
}

TEST(Observe, NothingFiniteGivesZeros) {
  for (Isa isa : RunnableIsas()) {
    EXPECT_TRUE(SameFloats({0, 0, 0, 0, 0}, Compute({0, 1, 1, 0, 1, 1}, {}, isa)));
    EXPECT_TRUE(SameFloats({0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Compute({3, 2, 0, 1, 1, 1}, {}, isa)));
    EXPECT_TRUE(SameFloats({0, 0, 0, 0, 3}, Compute({1, 1, 3, 0, 1, 1}, {NAN, INFINITY, -INFINITY}, isa)));
    EXPECT_TRUE(SameFloats({0, -2, 0, 4, 0, 4, 0, 1, 2, 0}, Compute({2, 2, 1, 1, 1, 1}, {NAN, -2, INFINITY, 4}, isa)));
  }
}

TEST(Observe, ZerosArePositiveAndLargeValuesDoNotOverflow) {
  for (Isa isa : RunnableIsas()) {
    EXPECT_TRUE(SameFloats({0, 0, 0, 0, 0}, Compute({1, 1, 3, 0, 1, 1}, {-0.0f, 0.0f, -0.0f}, isa)));
    const std::vector<float> large(50, 3.4e38f);
    EXPECT_TRUE(SameFloats({3.4e38f, 3.4e38f, 3.4e38f, 3.4e38f, 0}, Compute({1, 1, 50, 0, 1, 1}, large, isa)));
  }
}

// Channels out of larger rows give the bits that they give alone.
TEST(Observe, ChannelsWithinLargerRows) {
  for (const auto& [channels, stride, offset] : {std::array{2u, 5u, 3u}, {16u, 40u, 7u}, {70u, 70u, 0u}, {131u, 200u, 69u}}) {
    const ObserveParams whole{300, stride, 1, 1, 2, 1, 0, 0}, alone{300, channels, 1, 1, 2, 1, 0, 0};
    const std::vector<float> x = MakeInput(whole, channels, channels == 16);
    std::vector<float> part;
    for (size_t r = 0; r < 600; r++)
      part.insert(part.end(), x.begin() + r * stride + offset, x.begin() + r * stride + offset + channels);
    for (Isa isa : RunnableIsas()) {
      const Buffer in = Buffer::F32(x);
      Buffer y(ElementType::kF32, 5 * 2 * channels);
      const ObserveParams within{300, channels, 1, 1, 2, 1, stride, offset};
      RunCall({&kernel_observe, &within, {&in}, {}, {&y}}, isa, 3);
      ASSERT_TRUE(SameFloats(Compute(alone, part, isa), y.to_vector<float>())) << channels << " of " << stride;
    }
  }
}

TEST(Observe, RefusesBadCalls) {
  const ObserveParams p{2, 3, 4, 1, 1, 1};
  const Buffer x(ElementType::kF32, 24), y(ElementType::kF32, 15), other(ElementType::kF32, 23);
  const Buffer bytes(ElementType::kU8, 24);
  const auto ok = [](const ObserveParams& q, const Buffer& in, const Buffer& out) {
    return ValidateOnly({&kernel_observe, &q, {&in}, {}, {&out}}).ok();
  };
  EXPECT_TRUE(ok(p, x, y));
  EXPECT_FALSE(ok(p, other, y));
  EXPECT_FALSE(ok(p, bytes, y));
  EXPECT_FALSE(ok(p, x, x));
  EXPECT_TRUE(ok({1, 3, 4, 1, 2, 0}, x, Buffer(ElementType::kF32, 30)));
  EXPECT_FALSE(ok({2, 3, 4, 2, 1, 1}, x, y));
  EXPECT_FALSE(ok({2, 3, 4, 0, 1, 1}, x, y));
  EXPECT_FALSE(ok({2, 0, 4, 1, 1, 1}, x, y));
  EXPECT_FALSE(ok({2, 3, 4, 1, 0, 1}, x, y));
  EXPECT_FALSE(ok({2, 3, 4, 1, 1, 2}, x, y));
  EXPECT_TRUE(ok({4, 3, 1, 1, 1, 1, 6, 3}, x, y));
  EXPECT_FALSE(ok({4, 3, 1, 1, 1, 1, 6, 4}, x, y));
  EXPECT_FALSE(ok({4, 3, 1, 0, 1, 1, 6, 3}, x, Buffer(ElementType::kF32, 5)));
  EXPECT_FALSE(ok({2, 3, 2, 1, 1, 1, 6, 3}, x, y));
  EXPECT_FALSE(ok({4, 1, 1, 1, 1, 1, 6, 3}, x, Buffer(ElementType::kF32, 5)));
  EXPECT_FALSE(ok({2, 3, 4, 1, 1, 1, 0, 1}, x, y));
  EXPECT_FALSE(ok({~0u, ~0u, ~0u, 0, 1, 1}, x, y));
}

}  // namespace
}  // namespace lowp::test
