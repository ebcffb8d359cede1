// Validation and preparation of the matmul kernel: a convolution of 1 x 1 over m pixels.
#include "kernels/matmul/matmul.h"

#include <string>

#include "kernels/gemm/call.h"

namespace lowp {
namespace {

Status Validate(const CallView& call) {
  const MatmulParams& p = call.Params<MatmulParams>();
  LOWP_REQUIRE(p.m > 0 && p.k > 0 && p.n > 0, "m, k and n must be positive");
  LOWP_REQUIRE(p.in_stride >= p.k, "in_stride must not be less than k");
  LOWP_REQUIRE(p.weights_transposed <= 1, "weights_transposed must be 0 or 1");
  LOWP_REQUIRE(p.in_zero_point <= 255, "in_zero_point must be 0 to 255");
  LOWP_REQUIRE(p.mid <= 1, "mid must be 0 or 1");
  uint64_t x = 0, weights = 0;
  LOWP_REQUIRE(CheckedProduct(&x, p.m, p.in_stride, sizeof(float)) &&
                   CheckedProduct(&weights, p.k, p.n, sizeof(float)),
               "the sizes are too large");
  x /= sizeof(float);
  weights /= sizeof(float);
  LOWP_RETURN_IF_ERROR(ValidateElements("x", call.Input(kX), x));
  LOWP_RETURN_IF_ERROR(ValidateElements("weights", call.Input(kWeights), weights));
  LOWP_RETURN_IF_ERROR(ValidateEpilogue(call, {p.m, p.n, p.out_stride, p.out_offset}));
  if (call.Input(kX).type == ElementType::kU8 && p.k > kMostIntegerProducts) {
    return Unsupported("k above " + std::to_string(kMostIntegerProducts) + " may overflow s32");
  }
  return Status();
}

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  const MatmulParams& p = call.Params<MatmulParams>();
  GemmProblem g;
  g.integer = call.Input(kX).type == ElementType::kU8;
  const size_t element = SizeOf(call.Input(kX).type);
  g.pixels = p.m;
  g.group_columns = p.n;
  g.group_stride = p.k;
  g.walk.out_w = p.m;
  g.walk.step_x = p.in_stride * element;
  g.runs = {{0, p.k}};
  g.weight_stride = p.weights_transposed ? p.k : 1;
  const size_t step = p.weights_transposed ? 1 : p.n;
  for (size_t j = 0; j < p.k; j++) g.source.push_back(j * step);
  g.weights = call.Input(kWeights).constant;
  g.depth = p.k;
  g.zero_point = g.integer ? static_cast<int32_t>(p.in_zero_point) : 0;
  g.fresh_bytes = p.k * element;
  g.out_stride = p.out_stride;
  g.out_offset = p.out_offset;
  return PrepareGemm(call, context, EpilogueSettings::Of(p), g);
}

}  // namespace

const KernelDef kernel_matmul = {"matmul", MatmulParams::Fields, Validate, Prepare};

}  // namespace lowp
