// Checks, preparation and tiling of `convert`.
#include "kernels/convert/convert.h"

#include "kernels/convert/rows.h"
#include "kernels/convert/whole.h"
#include "kernels/flat_tiles.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<ConvertRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(convert_f32_avx512_16, kAvx512),
    LOWP_ROW(convert_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(convert_f32_scalar, kScalar),
};

// By element type.
constexpr ConvertFunction ConvertRows::*kFunctions[kElementTypes] = {
    &ConvertRows::f32, &ConvertRows::u8,  &ConvertRows::i8,  &ConvertRows::i32,
    &ConvertRows::i64, &ConvertRows::f16, &ConvertRows::i16, &ConvertRows::boolean,
};

Status Validate(const CallView& call) {
  const auto& p = call.Params<ConvertParams>();
  const Operand x = call.Input(0);
  LOWP_REQUIRE(x.present && x.elements == p.elements && static_cast<size_t>(x.type) < kElementTypes,
               "convert: x must have `elements` elements of a known type");
  const Operand y = call.Output(0);
  LOWP_REQUIRE(y.present && y.elements == p.elements &&
                   (y.type == ElementType::kF32 || WholeFunctionOf(x.type, y.type) != nullptr),
               "convert: y must be f32, i32 or i64 [elements], and whole numbers cannot be made of f16");
  return Status();
}

class ConvertCall final : public PreparedCall {
 public:
  ConvertCall(const CallView& call, const PrepareContext& context)
      : elements_(call.Params<ConvertParams>().elements), item_bytes_(SizeOf(call.Input(0).type)) {
    const ElementType from = call.Input(0).type, to = call.Output(0).type;
    tiles[0] = FlatTileCount(elements_);
    inplace_input = from == to ? 0 : -1;
    whole_ = WholeFunctionOf(from, to);
    out_bytes_ = SizeOf(to);
    if (whole_) return;
    const Row<ConvertRows>& chosen = SelectRow(kRows, context);
    function_ = chosen.run->*kFunctions[static_cast<size_t>(from)];
    row = chosen.name;
    reads_in_place = true;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const FlatRange r = FlatTiles(elements_, begin, end);
    const uint8_t* x = static_cast<const uint8_t*>(context.inputs[0]) + r.first * item_bytes_;
    uint8_t* y = static_cast<uint8_t*>(context.outputs[0]) + r.first * out_bytes_;
    if (whole_) {
      whole_(x, y, r.count);
    } else {
      function_(x, reinterpret_cast<float*>(y), r.count);
    }
  }

 private:
  size_t elements_;
  size_t item_bytes_;
  size_t out_bytes_ = 0;
  ConvertFunction function_ = nullptr;
  WholeFunction whole_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<ConvertCall>(call, context));
}

}  // namespace

const KernelDef kernel_convert = {"convert", ConvertParams::Fields, Validate, Prepare};

}  // namespace lowp
