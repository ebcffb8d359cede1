// The choice of a micro-kernel.
#include "kernels/gemm/rows.h"

#include <gtest/gtest.h>

namespace lowp::test {
namespace {

TEST(GemmRows, ScalarRowsFitEverything) {
  for (bool integer : {false, true}) {
    RowQuery query;
    query.integer = integer;
    const GemmRow* row = SelectRow(query);
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(row->isa, Isa::kScalar);
    EXPECT_EQ(row->packing == Packing::kSingles, !integer);
  }
}

TEST(GemmRows, AForcedRowIsTakenOnlyWhereItFits) {
  RowQuery query;
  query.isa = Isa::kVnni;
  query.integer = true;
  query.force_row = "gemm_u8s8_scalar_1x8";
  EXPECT_STREQ(SelectRow(query)->name, query.force_row);
  const char* best = SelectRow({Isa::kVnni, true, false, false, nullptr})->name;
  query.force_row = "gemm_f32_scalar_1x8";
  EXPECT_STREQ(SelectRow(query)->name, best);
  query.force_row = "no such row";
  EXPECT_STREQ(SelectRow(query)->name, best);
}

#if defined(__x86_64__)
TEST(GemmRows, PairSafeRowsNeedTheProof) {
  EXPECT_FALSE(SelectRow({Isa::kAvx512, true, false, false, nullptr})->needs_pair_safe);
  EXPECT_TRUE(SelectRow({Isa::kAvx512, true, true, false, nullptr})->needs_pair_safe);
  EXPECT_TRUE(WantsPairSafety({Isa::kAvx512, true, false, false, nullptr}));
  EXPECT_FALSE(WantsPairSafety({Isa::kVnni, true, false, false, nullptr}));
  EXPECT_FALSE(SelectRow({Isa::kVnni, true, false, false, "gemm_u8s8_avx512_pairsafe_6x64"})->needs_pair_safe);
}

TEST(GemmRows, TheProvenRowTakesAnyWeights) {
  for (bool safe : {false, true}) EXPECT_EQ(SelectRow({Isa::kAvx2, true, safe, false, nullptr})->packing, Packing::kProven);
  EXPECT_FALSE(WantsPairSafety({Isa::kAvx2, true, false, false, nullptr}));
  const char* name = "gemm_u8s8_avx2_proven_6x16";
  EXPECT_STREQ(SelectRow({Isa::kVnni, true, false, false, name})->name, name);
}

TEST(GemmRows, WeightsPackedAtRunTimeAreNotProven) {
  for (const char* name : {static_cast<const char*>(nullptr), "gemm_u8s8_avx2_proven_6x16"})
    EXPECT_EQ(SelectRow({Isa::kAvx2, true, false, true, name})->packing, Packing::kPairs);
}
#endif

}  // namespace
}  // namespace lowp::test
