// The table of gemm rows, best first.
#include "kernels/gemm/rows.h"

#include "kernels/row.h"

namespace lowp {
namespace {

const GemmRow* const kRows[] = {
#if defined(__x86_64__)
    &gemm_u8s8_amx_32x64,
    &gemm_u8s8_vnni_6x64,        &gemm_u8s8_avx512_proven_12x32, &gemm_u8s8_avx512_12x32, &gemm_u8s8_avxvnni_6x16,
    &gemm_u8s8_avx2_proven_6x16, &gemm_u8s8_avx2_6x16,           &gemm_f32_avx512_6x64,   &gemm_f32_avx2_6x16,
#endif
    &gemm_u8s8_scalar_1x8, &gemm_f32_scalar_1x8,
};

bool Fits(const GemmRow& row, const RowQuery& query) {
  return Includes(query.isa, row.isa) && (row.packing != Packing::kSingles) == query.integer &&
         !(query.computed && row.packing == Packing::kProven) && !((query.grouped || query.placed) && row.gather) &&
         query.rows >= row.fewest_rows && query.steps >= row.fewest_steps;
}

}  // namespace

const GemmRow* SelectRow(const RowQuery& query) {
  RowChoice<GemmRow> choice(query.force_row);
  for (const GemmRow* row : kRows)
    if (Fits(*row, query)) choice.Offer(*row);
  return choice.best();
}

}  // namespace lowp
