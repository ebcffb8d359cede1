// The table of depthwise rows, best first.
#include "kernels/depthwise/rows.h"

#include "kernels/row.h"

namespace lowp {
namespace {

const DepthwiseRow* const kRows[] = {
#if defined(__x86_64__)
    &depthwise_u8s8_vnni_5x5s1_1x64,     &depthwise_u8s8_vnni_5x5s2_1x64,     &depthwise_u8s8_vnni_3x3s1_1x64,
    &depthwise_u8s8_vnni_3x3s2_1x64,     &depthwise_u8s8_vnni_1x64,           &depthwise_u8s8_avx512_5x5s1_1x32,
    &depthwise_u8s8_avx512_5x5s2_1x32,   &depthwise_u8s8_avx512_3x3s1_1x32,   &depthwise_u8s8_avx512_3x3s2_1x32,
    &depthwise_u8s8_avx512_1x32,         &depthwise_u8s8_avx2_5x5s1_1x16,     &depthwise_u8s8_avx2_5x5s2_1x16,
    &depthwise_u8s8_avx2_3x3s1_1x16,     &depthwise_u8s8_avx2_3x3s2_1x16,     &depthwise_u8s8_avx2_1x16,
    &depthwise_f32_avx512_5x5s1_14x16,   &depthwise_f32_avx512_5x5s2_14x16,   &depthwise_f32_avx512_3x3s1_7x16,
    &depthwise_f32_avx512_3x3s2_7x16,    &depthwise_f32_avx512_7x16,          &depthwise_f32_avx2_5x5s1_10x8,
    &depthwise_f32_avx2_5x5s2_10x8,      &depthwise_f32_avx2_3x3s1_10x8,      &depthwise_f32_avx2_3x3s2_10x8,
    &depthwise_f32_avx2_7x8,
#endif
    &depthwise_u8s8_scalar_1x16, &depthwise_f32_scalar_1x16,
};

// Windows of neighbouring pixels share columns or, in floats, those of enough pixels that are dilation_w apart.
bool SharesColumns(const DepthwiseGeometry& g, bool integer) {
  constexpr size_t kFewestPixels = 4;
  return g.dilation_w == 1 || (!integer && g.out_w >= kFewestPixels * g.dilation_w);
}

bool Fits(const DepthwiseRow& row, const DepthwiseGeometry& g, bool integer, Isa isa) {
  if (!Includes(isa, row.isa) || (row.packing != DepthwisePacking::kPlainFloat) != integer) return false;
  return row.kernel == 0 || (g.kernel_h == row.kernel && g.kernel_w == row.kernel && g.stride_w == row.stride_w &&
                             SharesColumns(g, integer));
}

}  // namespace

const DepthwiseRow* SelectDepthwiseRow(const DepthwiseGeometry& geometry, bool integer, Isa isa,
                                       const char* force_row) {
  RowChoice<DepthwiseRow> choice(force_row);
  for (const DepthwiseRow* row : kRows)
    if (Fits(*row, geometry, integer, isa)) choice.Offer(*row);
  return choice.best();
}

}  // namespace lowp
