// Checks, preparation and tiling of `quantize`.
#include "kernels/quantize/quantize.h"

#include "kernels/channel_constants.h"
#include "kernels/common/quantize_rows.h"
#include "kernels/pixel_tiles.h"
#include "kernels/prepare_call.h"
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

PixelLayout LayoutOf(const QuantizeParams& p) { return {p.batch, p.channels, p.spatial, p.layout, p.out_stride}; }

Status Validate(const CallView& call) {
  const auto& p = call.Params<QuantizeParams>();
  uint64_t in_elements = 0, out_elements = 0;
  LOWP_RETURN_IF_ERROR(ValidatePixels(LayoutOf(p), "quantize", "out_stride", &in_elements, &out_elements));
  LOWP_REQUIRE(p.pad_value <= 255, "quantize: pad_value must be a byte");
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
    reads_in_place = true;
    pixels_ = PixelTiles::Of(LayoutOf(p));
    tiles[0] = pixels_.count;
    operations = 2.0 * static_cast<double>(pixels_.elements);
    return Status();
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const float* x = static_cast<const float*>(context.inputs[0]);
    uint8_t* y = static_cast<uint8_t*>(context.outputs[0]);
    if (pixels_.dense) {
      const FlatRange r = FlatTiles(pixels_.elements, begin, end);
      rows_->dense(x + r.first, y + r.first, r.count, r.first % k_.channels, k_);
      return;
    }
    for (size_t tile = begin; tile < end; tile++) {
      const PixelTile t = pixels_.At(tile);
      const float* image_x = x + t.image * pixels_.spatial * k_.channels;
      uint8_t* tile_y = y + (t.image * pixels_.spatial + t.first) * k_.out_stride;
      if (pixels_.planes)
        rows_->planes(image_x + t.first, pixels_.spatial, tile_y, t.pixels, k_);
      else
        rows_->pixels(image_x + t.first * k_.channels, tile_y, t.pixels, k_);
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
  PixelTiles pixels_;
};

}  // namespace

const KernelDef kernel_quantize = {"quantize", QuantizeParams::Fields, Validate, PrepareCall<QuantizeCall>};

}  // namespace lowp
