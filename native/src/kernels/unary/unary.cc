// Checks, preparation and tiling of `unary`.
#include "kernels/unary/unary.h"

#include "kernels/flat_tiles.h"
#include "kernels/row.h"
#include "kernels/unary/rows.h"

namespace lowp {
namespace {

constexpr Row<UnaryRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(unary_f32_avx512_16, kAvx512),
    LOWP_ROW(unary_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(unary_f32_scalar, kScalar),
};

Status Validate(const CallView& call) {
  const auto& p = call.Params<UnaryParams>();
  LOWP_REQUIRE(p.op < kUnaryOps, "unary: unknown op");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, p.elements), "unary: x must be f32[elements]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, p.elements), "unary: y must be f32[elements]");
  return Status();
}

class UnaryCall final : public PreparedCall {
 public:
  UnaryCall(const UnaryParams& params, const PrepareContext& context) : params_(params) {
    const Row<UnaryRows>& chosen = SelectRow(kRows, context);
    function_ = chosen.run->op[params.op];
    row = chosen.name;
    tiles[0] = FlatTileCount(params.elements);
    operations = static_cast<double>(params.elements);
    inplace_input = 0;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const FlatRange r = FlatTiles(params_.elements, begin, end);
    function_(static_cast<const float*>(context.inputs[0]) + r.first, static_cast<float*>(context.outputs[0]) + r.first,
              r.count, params_.alpha, params_.beta);
  }

 private:
  UnaryParams params_;
  UnaryFunction function_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<UnaryCall>(call.Params<UnaryParams>(), context));
}

}  // namespace

const KernelDef kernel_unary = {"unary", UnaryParams::Fields, Validate, Prepare};

}  // namespace lowp
