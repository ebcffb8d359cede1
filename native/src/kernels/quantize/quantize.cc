// Checks, preparation and tiling of `quantize`.
#include "kernels/quantize/quantize.h"

#include <algorithm>

#include "kernels/channel_constants.h"
#include "kernels/flat_tiles.h"
#include "kernels/quantize/rows.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<QuantizeRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(quantize_f32u8_avx512_64, kAvx512),
    LOWP_ROW(quantize_f32u8_avx2_32, kAvx2),
#endif
    LOWP_ROW(quantize_f32u8_scalar, kScalar),
};

Status Validate(const CallView& call) {
  const auto& p = call.Params<QuantizeParams>();
  uint64_t in_elements = 0, out_elements = 0;
  LOWP_REQUIRE(p.channels > 0 && p.out_stride >= p.channels, "quantize: expected 0 < channels <= out_stride");
  LOWP_REQUIRE(p.layout <= 1, "quantize: layout must be 0 or 1");
  LOWP_REQUIRE(p.pad_value <= 255, "quantize: pad_value must be a byte");
  LOWP_REQUIRE(CheckedProduct(&in_elements, p.batch, p.spatial, p.channels) &&
                   CheckedProduct(&out_elements, p.batch, p.spatial, p.out_stride),
               "quantize: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, in_elements), "quantize: x must be f32[batch * channels * spatial]");
  for (size_t i : {1, 2})
    LOWP_REQUIRE(IsChannelConstant(call.Input(i), p.channels),
                 "quantize: inv_scale and shift must be constants f32[1] or f32[channels]");
  const Operand bounds = call.Input(3);
  LOWP_REQUIRE(!bounds.present || (bounds.constant && bounds.Is(ElementType::kU8, uint64_t{p.channels} * 2)),
               "quantize: bounds must be a constant u8[2 * channels]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kU8, out_elements),
               "quantize: y must be u8[batch * spatial * out_stride]");
  return Status();
}

class QuantizeCall final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context) {
    const auto& p = call.Params<QuantizeParams>();
    LOWP_RETURN_IF_ERROR(CopyConstants(call, p));
    const Row<QuantizeRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    planes_ = p.layout == 1 && p.channels > 1 && p.spatial > 1;
    dense_ = !planes_ && p.out_stride == p.channels;
    spatial_ = planes_ ? p.spatial : size_t{p.batch} * p.spatial;
    elements_ = size_t{p.batch} * p.spatial * p.channels;
    pixel_tile_ = std::max<size_t>(64, kFlatTile / p.channels / 64 * 64);
    tiles_per_image_ = CeilDiv(spatial_, pixel_tile_);
    tiles[0] = dense_ ? FlatTileCount(elements_) : tiles_per_image_ * (planes_ ? p.batch : 1);
    operations = 2.0 * static_cast<double>(elements_);
    return Status();
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const float* x = static_cast<const float*>(context.inputs[0]);
    uint8_t* y = static_cast<uint8_t*>(context.outputs[0]);
    if (dense_) {
      const FlatRange r = FlatTiles(elements_, begin, end);
      rows_->dense(x + r.first, y + r.first, r.count, r.first % k_.channels, k_);
      return;
    }
    for (size_t tile = begin; tile < end; tile++) {
      const size_t image = tile / tiles_per_image_;
      const size_t first = tile % tiles_per_image_ * pixel_tile_;
      const size_t pixels = std::min(pixel_tile_, spatial_ - first);
      const float* image_x = x + image * spatial_ * k_.channels;
      uint8_t* tile_y = y + (image * spatial_ + first) * k_.out_stride;
      if (planes_)
        rows_->planes(image_x + first, spatial_, tile_y, pixels, k_);
      else
        rows_->pixels(image_x + first * k_.channels, tile_y, pixels, k_);
    }
  }

 private:
  Status CopyConstants(const CallView& call, const QuantizeParams& p) {
    const size_t channels = p.channels;
    inv_scale_ = WrapChannels(call.Input(1), channels);
    shift_ = WrapChannels(call.Input(2), channels);
    const uint8_t whole_range[2] = {0, 255};
    const Operand bounds = call.Input(3);
    const uint8_t* lows = bounds.present ? static_cast<const uint8_t*>(bounds.constant) : whole_range;
    low_ = WrapChannels<uint8_t>(lows, bounds.present ? channels : 1, channels);
    high_ = bounds.present ? WrapChannels<uint8_t>(lows + channels, channels, channels)
                           : WrapChannels<uint8_t>(lows + 1, 1, channels);
    if (!inv_scale_ || !shift_ || !low_ || !high_) return Status(Code::kMemory, "quantize: out of memory");
    k_ = {inv_scale_.get(),
          shift_.get(),
          low_.get(),
          high_.get(),
          channels,
          p.out_stride,
          static_cast<uint8_t>(p.pad_value),
          false};
    k_.uniform = IsUniform(k_.inv_scale, channels) && IsUniform(k_.shift, channels) && IsUniform(k_.low, channels) &&
                 IsUniform(k_.high, channels);
    packed_bytes = (channels + kChannelWrap) * 10;
    return Status();
  }

  AlignedPtr<float> inv_scale_, shift_;
  AlignedPtr<uint8_t> low_, high_;
  QuantizeConstants k_{};
  const QuantizeRows* rows_ = nullptr;
  bool planes_ = false;  // channels-first input
  bool dense_ = false;   // element i of y is element i of x
  size_t spatial_ = 0;   // pixels of one image; of all images when they follow each other
  size_t elements_ = 0;
  size_t pixel_tile_ = 0;
  size_t tiles_per_image_ = 0;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  auto prepared = std::make_unique<QuantizeCall>();
  LOWP_RETURN_IF_ERROR(prepared->Prepare(call, context));
  return PreparedPtr(std::move(prepared));
}

}  // namespace

const KernelDef kernel_quantize = {"quantize", QuantizeParams::Fields, Validate, Prepare};

}  // namespace lowp
