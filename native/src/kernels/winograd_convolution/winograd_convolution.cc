// Validation and preparation of the Winograd convolution.
#include "kernels/winograd_convolution/winograd_convolution.h"

#include <string>
#include <utility>

#include "kernels/gemm/rows.h"
#include "kernels/row.h"
#include "kernels/winograd/call.h"
#include "kernels/winograd/rows.h"

namespace lowp {
namespace {

constexpr uint32_t kMostChannels = 4096;  // of x, so that a block of tiles stays small

constexpr Row<WinogradRows> kRowTable[] = {
#if defined(__x86_64__)
    LOWP_ROW(winograd_f32_avx512_16, kAvx512),
    LOWP_ROW(winograd_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(winograd_f32_scalar, kScalar),
};

Status Validate(const CallView& call) {
  const WinogradConvolutionParams& p = call.Params<WinogradConvolutionParams>();
  for (uint32_t size : {p.batch, p.in_h, p.in_w, p.in_c, p.out_h, p.out_w, p.out_c})
    LOWP_REQUIRE(size > 0, "sizes must be positive");
  LOWP_REQUIRE(p.in_stride >= p.in_c, "in_stride must not be less than in_c");
  LOWP_REQUIRE(p.mid <= 1, "mid must be 0 or 1");
  LOWP_REQUIRE(WinogradShape::Of(p).IsPaddedByTwoAtMost(), "padding must not exceed 2 on any side");
  LOWP_REQUIRE(p.in_c <= kMostChannels, "in_c must not exceed " + std::to_string(kMostChannels));
  uint64_t pixels = 0, x = 0, weights = 0, transformed = 0;
  LOWP_REQUIRE(CheckedProduct(&pixels, p.batch, p.out_h, p.out_w) &&
                   CheckedProduct(&x, p.batch, p.in_h, p.in_w, p.in_stride, sizeof(float)) &&
                   CheckedProduct(&weights, p.out_c, p.in_c, kWinogradTaps) &&
                   CheckedProduct(&transformed, p.out_c, p.in_c, kWinogradProducts, sizeof(float)) &&
                   CheckedProduct(&transformed, pixels, p.in_c, kWinogradProducts, sizeof(float)),
               "the sizes are too large");
  LOWP_RETURN_IF_ERROR(ValidateElements("x", call.Input(kX), x / sizeof(float)));
  LOWP_RETURN_IF_ERROR(ValidateElements("weights", call.Input(kWeights), weights));
  LOWP_RETURN_IF_ERROR(ValidateEpilogue(call, {pixels, p.out_c, p.out_stride, p.out_offset}));
  if (call.Input(kX).type != ElementType::kF32) return Unsupported("x must be f32");
  const Operand residual = call.Input(kResidual);
  if (residual.present && residual.type != ElementType::kF32) return Unsupported("residual must be f32");
  return Status();
}

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  const WinogradConvolutionParams& p = call.Params<WinogradConvolutionParams>();
  const Row<WinogradRows>& chosen = SelectRow(kRowTable, context);
  RowQuery query;
  query.isa = context.isa;
  WinogradParts<float, float, float> parts;
  parts.transform_input = chosen.run->transform_input;
  parts.transform_output = chosen.run->transform_output;
  parts.gemm = SelectRow(query);
  parts.weights = TransformFloatWeights({call.Input(kWeights).constant, p.in_c, p.out_c}, *parts.gemm);
  parts.outside = AllocateAligned<float>(p.in_c);
  auto prepared = std::make_unique<WinogradCall<float, float, float>>();
  LOWP_RETURN_IF_ERROR(
      prepared->Prepare(call, context, WinogradShape::Of(p), EpilogueSettings::Of(p), std::move(parts)));
  prepared->row = chosen.name;
  return PreparedPtr(std::move(prepared));
}

}  // namespace

const KernelDef kernel_winograd_convolution = {"winograd_convolution", WinogradConvolutionParams::Fields, Validate,
                                               Prepare};

}  // namespace lowp
