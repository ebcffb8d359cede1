// Checks, preparation and tiling of `layer_norm`.
#include "kernels/layer_norm/layer_norm.h"

#include <algorithm>

#include "kernels/flat_tiles.h"
#include "kernels/layer_norm/rows.h"
#include "kernels/row.h"

namespace lowp {
namespace {

enum LayerNormOperand : size_t { kX = 0, kGamma = 1, kBeta = 2 };

constexpr Row<LayerNormRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(layer_norm_f32_avx512_32, kAvx512),
    LOWP_ROW(layer_norm_f32_avx2_32, kAvx2),
#endif
    LOWP_ROW(layer_norm_f32_scalar, kScalar),
};

// Elements of a tile.
constexpr size_t kTileElements = 8192;

Status Validate(const CallView& call) {
  const auto& p = call.Params<LayerNormParams>();
  uint64_t elements = 0;
  LOWP_REQUIRE(CheckedProduct(&elements, p.rows, p.columns), "layer_norm: sizes overflow");
  LOWP_REQUIRE(p.columns > 0, "layer_norm: columns must be positive");
  LOWP_REQUIRE(p.variance <= 1 && p.outside <= 1, "layer_norm: variance and outside must be 0 or 1");
  LOWP_REQUIRE(p.byte_low <= 255 && p.byte_high <= 255, "layer_norm: byte limits must be 0 to 255");
  const Operand gamma = call.Input(kGamma), beta = call.Input(kBeta), y = call.Output(0), q = call.Output(1);
  LOWP_REQUIRE(call.Input(kX).Is(ElementType::kF32, elements), "layer_norm: x must be f32[rows * columns]");
  LOWP_REQUIRE(!gamma.present || gamma.Is(ElementType::kF32, p.columns), "layer_norm: gamma must be f32[columns]");
  LOWP_REQUIRE(!beta.present || (gamma.present && beta.Is(ElementType::kF32, p.columns)),
               "layer_norm: beta must be f32[columns], beside a gamma");
  const bool floats = y.Is(ElementType::kF32, elements);
  LOWP_REQUIRE(floats || y.Is(ElementType::kU8, elements), "layer_norm: y must be f32 or u8[rows * columns]");
  LOWP_REQUIRE(!q.present || (floats && q.Is(ElementType::kU8, elements)),
               "layer_norm: q must be u8[rows * columns], beside an f32 y");
  return Status();
}

class LayerNormCall final : public PreparedCall {
 public:
  LayerNormCall(const CallView& call, const PrepareContext& context) {
    const auto& p = call.Params<LayerNormParams>();
    const Row<LayerNormRows>& chosen = SelectRow(kRows, context);
    run_ = chosen.run->run;
    row = chosen.name;
    rows_ = p.rows;
    floats_ = call.Output(0).type == ElementType::kF32;
    both_ = call.Output(1).present;
    gamma_ = call.Input(kGamma).present;
    beta_ = call.Input(kBeta).present;
    task_.columns = p.columns;
    task_.variance = p.variance == 1;
    task_.outside = p.outside == 1;
    task_.eps = p.eps;
    task_.inv_scale = p.inv_scale;
    task_.shift = p.shift;
    task_.byte_low = static_cast<uint8_t>(p.byte_low);
    task_.byte_high = static_cast<uint8_t>(p.byte_high);
    tile_rows_ = std::max<size_t>(1, kTileElements / p.columns);
    tiles[0] = CeilDiv(rows_, tile_rows_);
    operations = 8.0 * static_cast<double>(rows_) * p.columns;
    inplace_input = floats_ ? 0 : -1;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const size_t first = begin * tile_rows_, last = std::min(rows_, end * tile_rows_);
    if (first >= last) return;
    LayerNormTask task = task_;
    const size_t at = first * task.columns;
    task.rows = last - first;
    task.x = static_cast<const float*>(context.inputs[kX]) + at;
    if (gamma_) task.gamma = static_cast<const float*>(context.inputs[kGamma]);
    if (beta_) task.beta = static_cast<const float*>(context.inputs[kBeta]);
    if (floats_) task.y = static_cast<float*>(context.outputs[0]) + at;
    if (both_ || !floats_) task.q = static_cast<uint8_t*>(context.outputs[both_ ? 1 : 0]) + at;
    run_(task);
  }

 private:
  LayerNormTask task_;
  LayerNormRow run_ = nullptr;
  size_t rows_ = 0, tile_rows_ = 1;
  bool floats_ = true, both_ = false, gamma_ = false, beta_ = false;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<LayerNormCall>(call, context));
}

}  // namespace

const KernelDef kernel_layer_norm = {"layer_norm", LayerNormParams::Fields, Validate, Prepare};

}  // namespace lowp
