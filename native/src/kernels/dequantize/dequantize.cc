// Checks, preparation and tiling of `dequantize`.
#include "kernels/dequantize/dequantize.h"

#include <algorithm>

#include "kernels/channel_constants.h"
#include "kernels/dequantize/rows.h"
#include "kernels/flat_tiles.h"
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

Status Validate(const CallView& call) {
  const auto& p = call.Params<DequantizeParams>();
  uint64_t in_elements = 0, out_elements = 0;
  LOWP_REQUIRE(p.channels > 0 && p.in_stride >= p.channels, "dequantize: expected 0 < channels <= in_stride");
  LOWP_REQUIRE(p.layout <= 1, "dequantize: layout must be 0 or 1");
  LOWP_REQUIRE(CheckedProduct(&in_elements, p.batch, p.spatial, p.in_stride) &&
                   CheckedProduct(&out_elements, p.batch, p.spatial, p.channels),
               "dequantize: sizes overflow");
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
    planes_ = p.layout == 1 && p.channels > 1 && p.spatial > 1;
    dense_ = !planes_ && p.in_stride == p.channels;
    spatial_ = planes_ ? p.spatial : size_t{p.batch} * p.spatial;
    elements_ = size_t{p.batch} * p.spatial * p.channels;
    pixel_tile_ = std::max<size_t>(64, kFlatTile / p.channels / 64 * 64);
    tiles_per_image_ = CeilDiv(spatial_, pixel_tile_);
    tiles[0] = dense_ ? FlatTileCount(elements_) : tiles_per_image_ * (planes_ ? p.batch : 1);
    operations = 2.0 * static_cast<double>(elements_);
    return Status();
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const uint8_t* x = static_cast<const uint8_t*>(context.inputs[0]);
    float* y = static_cast<float*>(context.outputs[0]);
    if (dense_) {
      const FlatRange r = FlatTiles(elements_, begin, end);
      rows_->dense(x + r.first, y + r.first, r.count, r.first % k_.channels, k_);
      return;
    }
    for (size_t tile = begin; tile < end; tile++) {
      const size_t image = tile / tiles_per_image_;
      const size_t first = tile % tiles_per_image_ * pixel_tile_;
      const size_t pixels = std::min(pixel_tile_, spatial_ - first);
      const uint8_t* tile_x = x + (image * spatial_ + first) * k_.in_stride;
      float* image_y = y + image * spatial_ * k_.channels;
      if (planes_)
        rows_->planes(tile_x, image_y + first, spatial_, pixels, k_);
      else
        rows_->pixels(tile_x, image_y + first * k_.channels, pixels, k_);
    }
  }

 private:
  AlignedPtr<float> scale_, zero_point_;
  DequantizeConstants k_{};
  const DequantizeRows* rows_ = nullptr;
  bool planes_ = false;  // channels-first output
  bool dense_ = false;   // element i of y is element i of x
  size_t spatial_ = 0;   // pixels of one image; of all images when they follow each other
  size_t elements_ = 0;
  size_t pixel_tile_ = 0;
  size_t tiles_per_image_ = 0;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  auto prepared = std::make_unique<DequantizeCall>();
  LOWP_RETURN_IF_ERROR(prepared->Prepare(call, context));
  return PreparedPtr(std::move(prepared));
}

}  // namespace

const KernelDef kernel_dequantize = {"dequantize", DequantizeParams::Fields, Validate, Prepare};

}  // namespace lowp
