// Strided copies against a loop over all indices; refusals of strides that leave a buffer or collide.
#include "kernels/copy/copy.h"

#include <gtest/gtest.h>

#include "kernel_harness.h"

namespace lowp {
namespace {

using test::Buffer;
using test::CallSpec;
using test::RunCall;
using test::ValidateOnly;

constexpr ElementType kTypes[] = {ElementType::kU8, ElementType::kF16, ElementType::kF32, ElementType::kI64};

CopyParams Params(std::vector<uint32_t> counts, std::vector<int32_t> in, uint32_t in_offset, std::vector<int32_t> out,
                  uint32_t out_offset) {
  const size_t rank = counts.size();
  counts.resize(kCopyMaxRank, 7);
  in.resize(kCopyMaxRank, 1 << 30);
  out.resize(kCopyMaxRank, -5);
  return {static_cast<uint32_t>(rank),
          counts[0],
          counts[1],
          counts[2],
          counts[3],
          counts[4],
          counts[5],
          in[0],
          in[1],
          in[2],
          in[3],
          in[4],
          in[5],
          in_offset,
          out[0],
          out[1],
          out[2],
          out[3],
          out[4],
          out[5],
          out_offset};
}

void NaiveCopy(const CopyParams& params, size_t size, const uint8_t* x, uint8_t* y) {
  const CopyGeometry g = CopyGeometry::Of(params);
  uint64_t total = 1;
  for (uint32_t j = 0; j < g.rank; j++) total *= g.counts[j];
  for (uint64_t at = 0; at < total; at++) {
    int64_t in = g.in_offset, out = g.out_offset;
    uint64_t rest = at;
    for (uint32_t j = g.rank; j-- > 0; rest /= g.counts[j]) {
      in += static_cast<int64_t>(rest % g.counts[j]) * g.in_strides[j];
      out += static_cast<int64_t>(rest % g.counts[j]) * g.out_strides[j];
    }
    std::memcpy(y + out * static_cast<int64_t>(size), x + in * static_cast<int64_t>(size), size);
  }
}

// Runs the call on every ISA for every element size; returns the rows' names of 4-byte elements.
std::vector<std::string> ExpectLikeNaive(const CopyParams& params, size_t in_elements, size_t out_elements,
                                         unsigned seed = 1) {
  std::vector<std::string> rows;
  for (ElementType type : kTypes) {
    const size_t size = SizeOf(type);
    std::mt19937 random(seed);
    Buffer x(type, in_elements), expected(type, out_elements);
    for (size_t i = 0; i < x.bytes(); i++) x.data()[i] = static_cast<uint8_t>(random());
    std::memset(expected.data(), 0x5A, expected.bytes());
    NaiveCopy(params, size, x.data(), expected.data());
    for (Isa isa : test::RunnableIsas()) {
      Buffer y(type, out_elements);
      std::memset(y.data(), 0x5A, y.bytes());
      const std::string row = RunCall({&kernel_copy, &params, {&x}, {}, {&y}}, isa, seed);
      EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.bytes()), 0)
          << row << " on " << IsaName(isa) << ", " << size << " bytes, seed " << seed;
      if (size == 4) rows.push_back(row);
    }
  }
  return rows;
}

TEST(Copy, TransposesPlanesToChannelsLastForManyChannelCounts) {
  for (uint32_t channels : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 64, 100}) {
    for (uint32_t spatial : {1u, 3u, 8u, 16u, 31u, 49u, 65u, 200u}) {
      const int32_t c = static_cast<int32_t>(channels), s = static_cast<int32_t>(spatial);
      const size_t all = 2ul * channels * spatial;
      ExpectLikeNaive(Params({2, spatial, channels}, {c * s, 1, s}, 0, {c * s, c, 1}, 0), all, all);
      ExpectLikeNaive(Params({2, channels, spatial}, {c * s, 1, c}, 0, {c * s, s, 1}, 0), all, all);
    }
  }
}

TEST(Copy, TransposesIntoAPartOfWiderPixels) {
  ExpectLikeNaive(Params({100, 3}, {1, 100}, 0, {4, 1}, 1), 300, 402);
  ExpectLikeNaive(Params({100, 16}, {1, 100}, 0, {20, 1}, 3), 1600, 2000);
}

TEST(Copy, TransposesBlocksLargerThanOneTile) {
  ExpectLikeNaive(Params({300, 500}, {1, 300}, 0, {500, 1}, 0), 150000, 150000);
  ExpectLikeNaive(Params({50000, 3}, {1, 50000}, 0, {3, 1}, 0), 150000, 150000);
}

TEST(Copy, ChoosesVectorRowsForTransposes) {
  const CopyParams params = Params({64, 32}, {1, 64}, 0, {32, 1}, 0);
  for (const std::string& row : ExpectLikeNaive(params, 2048, 2048))
    EXPECT_EQ(row.find("copy_transpose_x32_"), 0u) << row;
  EXPECT_EQ(ExpectLikeNaive(params, 2048, 2048)[0], "copy_transpose_x32_scalar_16x16");
  if (ActiveIsa() >= Isa::kAvx2) {
    EXPECT_EQ(ExpectLikeNaive(params, 2048, 2048)[1], "copy_transpose_x32_avx2_8x8");
  }
}

TEST(Copy, CopiesRunsOfEveryLength) {
  for (uint32_t run = 1; run <= 140; run++) {
    const int32_t wide = static_cast<int32_t>(run) + 3;
    ExpectLikeNaive(Params({9, run}, {wide, 1}, 2, {static_cast<int32_t>(run), 1}, 0), 9ul * (run + 3), 9ul * run);
    ExpectLikeNaive(Params({9, run}, {static_cast<int32_t>(run), 1}, 0, {wide, 1}, 1), 9ul * run, 9ul * (run + 3));
  }
}

TEST(Copy, CopiesOneLongRunInSeveralTiles) { ExpectLikeNaive(Params({300001}, {1}, 5, {1}, 3), 300006, 300004); }

TEST(Copy, BroadcastsReversesAndSkips) {
  ExpectLikeNaive(Params({4, 37}, {1, 0}, 0, {37, 1}, 0), 4, 148);
  ExpectLikeNaive(Params({37, 4}, {0, 1}, 0, {4, 1}, 0), 4, 148);
  ExpectLikeNaive(Params({5, 37}, {37, -1}, 36, {37, 1}, 0), 185, 185);
  ExpectLikeNaive(Params({5, 37}, {-37, 1}, 4 * 37, {37, 1}, 0), 185, 185);
  ExpectLikeNaive(Params({5, 18}, {37, 2}, 1, {18, 1}, 0), 185, 90);
  ExpectLikeNaive(Params({5, 18}, {18, 1}, 0, {-36, -2}, 179), 90, 180);
}

TEST(Copy, ReordersSixDimensions) {
  // x [2, 3, 4, 2, 3, 5] to axes (5, 3, 1, 0, 4, 2).
  ExpectLikeNaive(Params({5, 2, 3, 2, 3, 4}, {1, 15, 120, 360, 5, 30}, 0, {144, 72, 24, 12, 4, 1}, 0), 720, 720);
}

TEST(Copy, CopiesNothingWhenADimensionIsZero) {
  ExpectLikeNaive(Params({4, 0, 3}, {1000, 1000, 1000}, 77, {0, 0, 0}, 99), 5, 5);
}

TEST(Copy, EqualsTheLoopForRandomGeometries) {
  for (unsigned seed = 1; seed <= 400; seed++) {
    std::mt19937 random(seed);
    const uint32_t rank = 1 + random() % 6;
    std::vector<uint32_t> counts(rank), order(rank);
    std::vector<int32_t> in(rank), out(rank);
    for (uint32_t j = 0; j < rank; j++) {
      counts[j] = 1 + random() % (rank > 3 ? 4 : 20);
      order[j] = j;
    }
    std::shuffle(order.begin(), order.end(), random);
    int64_t in_extent = 1, out_extent = 1, in_low = 0, out_low = 0;
    for (uint32_t j : order) {
      in[j] = random() % 5 == 0 ? 0 : static_cast<int32_t>(in_extent + random() % 2 * (random() % 4));
      if (random() % 4 == 0) in[j] = -in[j];
      in_low += in[j] < 0 ? static_cast<int64_t>(counts[j] - 1) * in[j] : 0;
      in_extent += static_cast<int64_t>(counts[j] - 1) * std::abs(in[j]);
    }
    std::shuffle(order.begin(), order.end(), random);
    for (uint32_t j : order) {
      out[j] = static_cast<int32_t>(out_extent + random() % 2 * (random() % 4));
      if (random() % 6 == 0) out[j] = -out[j];
      out_low += out[j] < 0 ? static_cast<int64_t>(counts[j] - 1) * out[j] : 0;
      out_extent += static_cast<int64_t>(counts[j] - 1) * std::abs(out[j]);
    }
    const uint32_t in_offset = static_cast<uint32_t>(-in_low + random() % 3);
    const uint32_t out_offset = static_cast<uint32_t>(-out_low + random() % 3);
    ExpectLikeNaive(Params(counts, in, in_offset, out, out_offset), static_cast<size_t>(in_extent) + 2,
                    static_cast<size_t>(out_extent) + 2, seed);
  }
}

Status Check(const CopyParams& params, size_t in_elements, size_t out_elements) {
  Buffer x(ElementType::kF32, in_elements), y(ElementType::kF32, out_elements);
  return ValidateOnly({&kernel_copy, &params, {&x}, {}, {&y}});
}

TEST(Copy, RefusesAddressesOutsideABuffer) {
  EXPECT_TRUE(Check(Params({3, 4}, {4, 1}, 1, {4, 1}, 2), 13, 14).ok());
  EXPECT_FALSE(Check(Params({3, 4}, {4, 1}, 1, {4, 1}, 2), 12, 14).ok());
  EXPECT_FALSE(Check(Params({3, 4}, {4, 1}, 1, {4, 1}, 2), 13, 13).ok());
  EXPECT_FALSE(Check(Params({3, 4}, {-4, 1}, 7, {4, 1}, 0), 100, 100).ok());
  EXPECT_FALSE(Check(Params({3, 4}, {4, 1}, 0, {4, -1}, 2), 100, 100).ok());
  EXPECT_FALSE(
      Check(Params({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {INT32_MAX, INT32_MAX, INT32_MAX}, 0, {1, 1, 1}, 0), 100, 100)
          .ok());
  EXPECT_FALSE(Check(Params({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
                            {INT32_MIN, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, INT32_MAX}, 0,
                            {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX, INT32_MAX}, 0),
                     100, 100)
                   .ok());
}

TEST(Copy, RefusesOutputsThatCollide) {
  EXPECT_FALSE(Check(Params({3, 4}, {4, 1}, 0, {3, 1}, 0), 100, 100).ok());
  EXPECT_FALSE(Check(Params({3, 4}, {4, 1}, 0, {0, 1}, 0), 100, 100).ok());
  EXPECT_FALSE(Check(Params({3, 4}, {4, 1}, 0, {-1, 1}, 50), 100, 100).ok());
  EXPECT_TRUE(Check(Params({1, 4}, {4, 1}, 0, {0, 1}, 0), 100, 100).ok());
}

TEST(Copy, RefusesBadRanksAndOperands) {
  CopyParams params = Params({4}, {1}, 0, {1}, 0);
  params.rank = 0;
  EXPECT_FALSE(Check(params, 4, 4).ok());
  params.rank = 7;
  EXPECT_FALSE(Check(params, 4, 4).ok());
  params.rank = 1;
  Buffer x(ElementType::kF32, 4), y(ElementType::kU8, 4), absent;
  EXPECT_FALSE(ValidateOnly({&kernel_copy, &params, {&x}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_copy, &params, {&absent}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_copy, &params, {}, {}, {&y}}).ok());
  EXPECT_FALSE(ValidateOnly({&kernel_copy, &params, {&x, &x}, {}, {&x}}).ok());
}

// Whatever single bytes of the params become, a call is refused or stays inside its buffers.
TEST(Copy, SurvivesMutatedParams) {
  const CopyParams good = Params({2, 5, 6, 2}, {60, 1, 10, 5}, 0, {60, 12, 2, 1}, 0);
  Buffer x(ElementType::kU8, 120);
  std::mt19937 random(7);
  size_t refused = 0;
  for (int round = 0; round < 3000; round++) {
    CopyParams params = good;
    uint8_t* bytes = reinterpret_cast<uint8_t*>(&params);
    for (int change = 0; change < 1 + round % 2; change++) bytes[random() % sizeof(params)] ^= 1u << random() % 8;
    Buffer y(ElementType::kU8, 120);
    const CallSpec spec{&kernel_copy, &params, {&x}, {}, {&y}};
    if (!ValidateOnly(spec).ok()) {
      refused++;
      continue;
    }
    for (Isa isa : test::RunnableIsas()) RunCall(spec, isa);
  }
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace lowp
