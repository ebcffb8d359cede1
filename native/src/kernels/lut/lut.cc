// Checks, preparation and tiling of `lut`.
#include "kernels/lut/lut.h"

#include "kernels/flat_tiles.h"
#include "kernels/lut/rows.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<LutRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(lut_u8_avx512_64, kAvx512),
    LOWP_ROW(lut_u8_avx2_64, kAvx2),
#endif
    LOWP_ROW(lut_u8_scalar, kScalar),
};

Status Validate(const CallView& call) {
  const auto& p = call.Params<LutParams>();
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kU8, p.elements), "lut: x must be u8[elements]");
  LOWP_REQUIRE(call.Input(1).Is(ElementType::kU8, 256), "lut: table must be u8[256]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kU8, p.elements), "lut: y must be u8[elements]");
  return Status();
}

class LutCall final : public PreparedCall {
 public:
  LutCall(const CallView& call, const PrepareContext& context) : elements_(call.Params<LutParams>().elements) {
    const Row<LutRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    tiles[0] = FlatTileCount(elements_);
    operations = static_cast<double>(elements_);
    inplace_input = call.Input(1).constant ? 0 : -1;  // x may otherwise be the table itself
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const FlatRange r = FlatTiles(elements_, begin, end);
    rows_->run(static_cast<const uint8_t*>(context.inputs[0]) + r.first, static_cast<const uint8_t*>(context.inputs[1]),
               static_cast<uint8_t*>(context.outputs[0]) + r.first, r.count);
  }

 private:
  size_t elements_;
  const LutRows* rows_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<LutCall>(call, context));
}

}  // namespace

const KernelDef kernel_lut = {"lut", LutParams::Fields, Validate, Prepare};

}  // namespace lowp
