// Tests of `observe_histogram`: against counting one by one, for every length of chunk, item and special value.
#include "kernels/observe/observe_histogram.h"

#include <array>
#include <cmath>
#include <cstring>

#include "float_data.h"
#include "kernel_harness.h"

namespace lowp::test {
namespace {

constexpr size_t kBins = 4096;

std::vector<int64_t> Compute(const ObserveHistogramParams& p, const std::vector<float>& x, Isa isa, unsigned seed = 1,
                             int runs = 1) {
  const Buffer in = Buffer::F32(x);
  Buffer y(ElementType::kI64, p.items * kBins);
  RunCall({&kernel_observe_histogram, &p, {&in}, {}, {&y}}, isa, seed, nullptr, nullptr, runs);
  return y.to_vector<int64_t>();
}

TEST(ObserveHistogram, CountsEveryElementOnce) {
  unsigned seed = 1;
  for (uint32_t items : {1u, 3u})
    for (uint32_t count : {0u, 1u, 2u, 7u, 1000u, 65535u, 65536u, 65537u, 200001u}) {
      const std::vector<float> x = RandomFloats(size_t{items} * count, seed++, -3.0f, 5.0f, true);
      std::vector<int64_t> wanted(items * kBins);
      for (size_t i = 0; i < x.size(); i++) {
        uint32_t bits;
        std::memcpy(&bits, &x[i], sizeof bits);
        wanted[i / count * kBins + (bits >> 20)]++;
      }
      for (Isa isa : RunnableIsas())
        for (unsigned tiles : {1u, 2u})
          ASSERT_EQ(wanted, Compute({items, 1, count, 0, 0}, x, isa, tiles)) << items << " x " << count;
    }
}

TEST(ObserveHistogram, EveryRunAddsToWhatTheRunsBeforeCounted) {
  const std::vector<float> x = RandomFloats(2 * 40000, 7, -3.0f, 5.0f, true);
  for (Isa isa : RunnableIsas()) {
    std::vector<int64_t> wanted = Compute({2, 40000, 1, 0, 0}, x, isa);
    for (int64_t& count : wanted) count *= 3;
    EXPECT_EQ(wanted, Compute({2, 40000, 1, 0, 0}, x, isa, 2, 3));
  }
}

TEST(ObserveHistogram, RunsWithinLargerRows) {
  for (const auto& [rows, run, stride, offset] :
       {std::array{2000u, 70u, 100u, 30u}, {3u, 1u, 2u, 0u}, {2u, 70000u, 70001u, 1u}, {40000u, 2u, 2u, 0u}}) {
    const std::vector<float> x = RandomFloats(2 * rows * stride, rows, -3.0f, 5.0f, true);
    std::vector<float> part;
    for (size_t r = 0; r < 2 * rows; r++)
      part.insert(part.end(), x.begin() + r * stride + offset, x.begin() + r * stride + offset + run);
    for (Isa isa : RunnableIsas())
      ASSERT_EQ(Compute({2, rows, run, 0, 0}, part, isa), Compute({2, rows, run, stride, offset}, x, isa)) << run;
  }
}

TEST(ObserveHistogram, OneBinTakesAWholeChunk) {
  for (float value : {0.0f, 1.0f})
    for (Isa isa : RunnableIsas()) {
      const std::vector<int64_t> y = Compute({1, 1, 70000, 0, 0}, std::vector<float>(70000, value), isa);
      EXPECT_EQ(y[value == 0.0f ? 0 : 127 * 8], 70000);
    }
}

TEST(ObserveHistogram, BinsHaveSignExponentAndThreeBitsOfMantissa) {
  const std::vector<int64_t> y = Compute({1, 2, 4, 0, 0}, {0.0f, -0.0f, 1.0f, 1.124f, 1.126f, -2.0f, INFINITY, NAN}, Isa::kScalar);
  EXPECT_EQ(y[0], 1);
  EXPECT_EQ(y[2048], 1);
  EXPECT_EQ(y[127 * 8], 2);
  EXPECT_EQ(y[127 * 8 + 1], 1);
  EXPECT_EQ(y[2048 + 128 * 8], 1);
  EXPECT_EQ(y[255 * 8], 1);
  EXPECT_EQ(y[255 * 8 + 4], 1);
}

TEST(ObserveHistogram, RefusesBadCalls) {
  const Buffer x(ElementType::kF32, 24), y(ElementType::kI64, 2 * kBins), bytes(ElementType::kU8, 24);
  const auto ok = [](const ObserveHistogramParams& p, const Buffer& in, const Buffer& out) {
    return ValidateOnly({&kernel_observe_histogram, &p, {&in}, {}, {&out}}).ok();
  };
  EXPECT_TRUE(ok({2, 3, 4, 0, 0}, x, y));
  EXPECT_TRUE(ok({2, 3, 3, 4, 1}, x, y));
  EXPECT_FALSE(ok({2, 3, 3, 4, 2}, x, y));
  EXPECT_FALSE(ok({2, 3, 4, 0, 1}, x, y));
  EXPECT_FALSE(ok({2, 1, 11, 0, 0}, x, y));
  EXPECT_FALSE(ok({1, 1, 24, 0, 0}, x, y));
  EXPECT_FALSE(ok({0, 1, 12, 0, 0}, x, y));
  EXPECT_FALSE(ok({2, 1, 12, 0, 0}, bytes, y));
  EXPECT_FALSE(ok({2, 1, 12, 0, 0}, x, Buffer(ElementType::kF32, 2 * kBins)));
  EXPECT_FALSE(ok({~0u, ~0u, ~0u, 0, 0}, x, y));
}

}  // namespace
}  // namespace lowp::test
