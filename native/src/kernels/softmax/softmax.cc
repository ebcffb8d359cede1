// Checks, preparation and tiling of `softmax`.
#include "kernels/softmax/softmax.h"

#include <algorithm>

#include "kernels/flat_tiles.h"
#include "kernels/row.h"
#include "kernels/softmax/rows.h"

namespace lowp {
namespace {

constexpr Row<SoftmaxRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(softmax_f32_avx512_16, kAvx512),
    LOWP_ROW(softmax_f32_avx2_16, kAvx2),
#endif
    LOWP_ROW(softmax_f32_scalar, kScalar),
};

// Elements of a tile: they stay in L1 between the passes.
constexpr size_t kTileElements = 4096;

Status Validate(const CallView& call) {
  const auto& p = call.Params<SoftmaxParams>();
  uint64_t elements = 0;
  LOWP_REQUIRE(CheckedProduct(&elements, p.outer, p.axis, p.inner), "softmax: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, elements), "softmax: x must be f32[outer * axis * inner]");
  const bool bytes = p.inner == 1 && call.Output(0).Is(ElementType::kU8, elements);
  LOWP_REQUIRE(bytes || call.Output(0).Is(ElementType::kF32, elements),
               "softmax: y must be f32[outer * axis * inner], or u8 when inner is 1");
  LOWP_REQUIRE(p.byte_low <= 255 && p.byte_high <= 255, "softmax: byte limits must be 0 to 255");
  return Status();
}

class SoftmaxCall final : public PreparedCall {
 public:
  SoftmaxCall(const CallView& call, const PrepareContext& context) {
    const auto& p = call.Params<SoftmaxParams>();
    outer_ = p.outer, axis_ = p.axis, inner_ = p.inner;
    to_bytes_ = call.Output(0).type == ElementType::kU8;
    bytes_ = {p.inv_scale, p.shift, static_cast<uint8_t>(p.byte_low), static_cast<uint8_t>(p.byte_high)};
    if (to_bytes_) scratch_bytes = axis_ * sizeof(float);
    const Row<SoftmaxRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    inplace_input = to_bytes_ ? -1 : 0;
    const size_t elements = outer_ * axis_ * inner_;
    operations = 3.0 * static_cast<double>(elements);
    tiles[0] = 0;
    if (elements == 0) return;
    const size_t wanted = std::max<size_t>(1, kTileElements / axis_);
    tile_ = inner_ == 1 ? wanted : CeilDiv(wanted, 16) * 16;
    tiles_per_outer_ = inner_ == 1 ? 0 : CeilDiv(inner_, tile_);
    tiles[0] = inner_ == 1 ? CeilDiv(outer_, tile_) : outer_ * tiles_per_outer_;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const float* x = static_cast<const float*>(context.inputs[0]);
    if (to_bytes_) {
      const size_t first = begin * tile_, last = std::min(outer_, end * tile_);
      uint8_t* q = static_cast<uint8_t*>(context.outputs[0]) + first * axis_;
      float* buffer = reinterpret_cast<float*>(context.scratch);
      if (first < last) rows_->quantized(x + first * axis_, buffer, q, last - first, axis_, bytes_);
      return;
    }
    float* y = static_cast<float*>(context.outputs[0]);
    if (inner_ == 1) {
      const size_t first = begin * tile_, last = std::min(outer_, end * tile_);
      if (first < last) rows_->contiguous(x + first * axis_, y + first * axis_, last - first, axis_);
      return;
    }
    for (size_t tile = begin; tile < end; tile++) {
      const size_t column = tile % tiles_per_outer_ * tile_;
      const size_t at = tile / tiles_per_outer_ * axis_ * inner_ + column;
      rows_->strided(x + at, y + at, axis_, inner_, std::min(tile_, inner_ - column));
    }
  }

 private:
  size_t outer_ = 0, axis_ = 0, inner_ = 0;
  bool to_bytes_ = false;
  SoftmaxBytes bytes_;
  size_t tile_ = 1;             // rows, or columns when inner > 1
  size_t tiles_per_outer_ = 0;  // when inner > 1
  const SoftmaxRows* rows_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<SoftmaxCall>(call, context));
}

}  // namespace

const KernelDef kernel_softmax = {"softmax", SoftmaxParams::Fields, Validate, Prepare};

}  // namespace lowp
