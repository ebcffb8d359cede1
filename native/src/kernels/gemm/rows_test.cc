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
  const char* best = SelectRow({Isa::kVnni, true, false, nullptr})->name;
  query.force_row = "gemm_f32_scalar_1x8";
  EXPECT_STREQ(SelectRow(query)->name, best);
  query.force_row = "no such row";
  EXPECT_STREQ(SelectRow(query)->name, best);
}

#if defined(__x86_64__)
TEST(GemmRows, WithoutVnniWeightsAreProven) {
  for (Isa isa : {Isa::kAvx2, Isa::kAvx512}) {
    EXPECT_EQ(SelectRow({isa, true, false, nullptr})->packing, Packing::kProven);
    EXPECT_EQ(SelectRow({isa, true, false, nullptr})->isa, isa);
  }
  const char* name = "gemm_u8s8_avx2_proven_6x16";
  EXPECT_STREQ(SelectRow({Isa::kVnni, true, false, name})->name, name);
}

TEST(GemmRows, WeightsPackedAtRunTimeAreNotProven) {
  for (Isa isa : {Isa::kAvx2, Isa::kAvx512})
    for (const char* name : {static_cast<const char*>(nullptr), "gemm_u8s8_avx2_proven_6x16"})
      EXPECT_EQ(SelectRow({isa, true, true, name})->packing, Packing::kPairs);
}

TEST(GemmRows, AvxVnniIsForItsOwnLevelOnly) {
  const char* name = "gemm_u8s8_avxvnni_6x16";
  for (bool computed : {false, true}) EXPECT_STREQ(SelectRow({Isa::kAvxVnni, true, computed, nullptr})->name, name);
  EXPECT_STREQ(SelectRow({Isa::kAvxVnni, false, false, nullptr})->name, "gemm_f32_avx2_6x16");
  for (Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni})
    EXPECT_STRNE(SelectRow({isa, true, false, name})->name, name) << IsaName(isa);
}
#endif

}  // namespace
}  // namespace lowp::test
