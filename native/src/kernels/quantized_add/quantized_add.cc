// Checks, preparation and tiling of `quantized_add`.
#include "kernels/quantized_add/quantized_add.h"

#include "kernels/flat_tiles.h"
#include "kernels/quantized_add/rows.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<QuantizedAddRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(quantized_add_u8_avx512_64, kAvx512),
    LOWP_ROW(quantized_add_u8_avx2_32, kAvx2),
#endif
    LOWP_ROW(quantized_add_u8_scalar, kScalar),
};

Status Validate(const CallView& call) {
  const auto& p = call.Params<QuantizedAddParams>();
  LOWP_REQUIRE(p.low <= 255 && p.high <= 255, "quantized_add: low and high must be bytes");
  for (size_t i : {0, 1})
    LOWP_REQUIRE(call.Input(i).Is(ElementType::kU8, p.elements), "quantized_add: a and b must be u8[elements]");
  const Operand y = call.Output(0);
  LOWP_REQUIRE(y.Is(ElementType::kU8, p.elements) || y.Is(ElementType::kF32, p.elements),
               "quantized_add: y must be u8[elements] or f32[elements]");
  return Status();
}

class QuantizedAddCall final : public PreparedCall {
 public:
  QuantizedAddCall(const CallView& call, const PrepareContext& context)
      : elements_(call.Params<QuantizedAddParams>().elements), to_u8_(call.Output(0).type == ElementType::kU8) {
    const auto& p = call.Params<QuantizedAddParams>();
    k_ = {p.scale_a,
          p.scale_b,
          p.bias,
          p.float_low,
          p.float_high,
          static_cast<uint8_t>(p.low),
          static_cast<uint8_t>(p.high)};
    const Row<QuantizedAddRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    tiles[0] = FlatTileCount(elements_);
    operations = 4.0 * static_cast<double>(elements_);
    inplace_input = to_u8_ ? 0 : -1;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const FlatRange r = FlatTiles(elements_, begin, end);
    const uint8_t* a = static_cast<const uint8_t*>(context.inputs[0]) + r.first;
    const uint8_t* b = static_cast<const uint8_t*>(context.inputs[1]) + r.first;
    if (to_u8_)
      rows_->to_u8(a, b, static_cast<uint8_t*>(context.outputs[0]) + r.first, r.count, k_);
    else
      rows_->to_f32(a, b, static_cast<float*>(context.outputs[0]) + r.first, r.count, k_);
  }

 private:
  size_t elements_;
  bool to_u8_;
  QuantizedAddConstants k_{};
  const QuantizedAddRows* rows_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<QuantizedAddCall>(call, context));
}

}  // namespace

const KernelDef kernel_quantized_add = {"quantized_add", QuantizedAddParams::Fields, Validate, Prepare};

}  // namespace lowp
