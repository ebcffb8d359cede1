// Checks, preparation and tiling of `dequantize`.
#include "kernels/dequantize/dequantize.h"

#include "kernels/channel_constants.h"
#include "kernels/dequantize/rows.h"
#include "kernels/pixel_tiles.h"
#include "kernels/prepare_call.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<DequantizeRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(dequantize_u8f32_avx512_16, kAvx512),
    LOWP_ROW(dequantize_u8f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(dequantize_u8f32_scalar, kScalar),
};

PixelLayout LayoutOf(const DequantizeParams& p) { return {p.batch, p.channels, p.spatial, p.layout, p.in_stride}; }

Status Validate(const CallView& call) {
  const auto& p = call.Params<DequantizeParams>();
  uint64_t in_elements = 0, out_elements = 0;
  LOWP_RETURN_IF_ERROR(ValidatePixels(LayoutOf(p), "dequantize", "in_stride", &out_elements, &in_elements));
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kU8, in_elements),
               "dequantize: x must be u8[batch * spatial * in_stride]");
  for (size_t i : {1, 2})
    LOWP_REQUIRE(IsChannelConstant(call.Input(i), p.channels),
                 "dequantize: scale and zero_point must be constants f32[1] or f32[channels]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, out_elements),
               "dequantize: y must be f32[batch * channels * spatial]");
  return Status();
}

class DequantizeCall final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context) {
    const auto& p = call.Params<DequantizeParams>();
    scale_ = WrapChannels(call.Input(1), p.channels);
    zero_point_ = WrapChannels(call.Input(2), p.channels);
    if (!scale_ || !zero_point_) return Status(Code::kMemory, "dequantize: out of memory");
    const bool uniform = IsUniform(scale_.get(), p.channels) && IsUniform(zero_point_.get(), p.channels);
    k_ = {scale_.get(), zero_point_.get(), p.channels, p.in_stride, uniform};
    packed_bytes = (size_t{p.channels} + kChannelWrap) * 8;
    const Row<DequantizeRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    pixels_ = PixelTiles::Of(LayoutOf(p));
    tiles[0] = pixels_.count;
    operations = 2.0 * static_cast<double>(pixels_.elements);
    return Status();
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const uint8_t* x = static_cast<const uint8_t*>(context.inputs[0]);
    float* y = static_cast<float*>(context.outputs[0]);
    if (pixels_.dense) {
      const FlatRange r = FlatTiles(pixels_.elements, begin, end);
      rows_->dense(x + r.first, y + r.first, r.count, r.first % k_.channels, k_);
      return;
    }
    for (size_t tile = begin; tile < end; tile++) {
      const PixelTile t = pixels_.At(tile);
      const uint8_t* tile_x = x + (t.image * pixels_.spatial + t.first) * k_.in_stride;
      float* image_y = y + t.image * pixels_.spatial * k_.channels;
      if (pixels_.planes)
        rows_->planes(tile_x, image_y + t.first, pixels_.spatial, t.pixels, k_);
      else
        rows_->pixels(tile_x, image_y + t.first * k_.channels, t.pixels, k_);
    }
  }

 private:
  AlignedPtr<float> scale_, zero_point_;
  DequantizeConstants k_{};
  const DequantizeRows* rows_ = nullptr;
  PixelTiles pixels_;
};

}  // namespace

const KernelDef kernel_dequantize = {"dequantize", DequantizeParams::Fields, Validate, PrepareCall<DequantizeCall>};

}  // namespace lowp
