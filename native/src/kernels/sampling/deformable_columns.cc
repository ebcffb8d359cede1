// Checks and runs `deformable_columns` (deformable_columns.h).
#include "kernels/sampling/deformable_columns.h"

#include <algorithm>
#include <cmath>

#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"
#include "kernels/sampling/mix.h"

namespace lowp {
namespace {

Status Validate(const CallView& call) {
  const auto& p = call.Params<DeformableColumnsParams>();
  LOWP_REQUIRE(call.inputs.size() >= 2 && call.inputs.size() <= 3 && call.outputs.size() == 1,
               "deformable_columns: expected two or three inputs and one output");
  LOWP_REQUIRE(p.groups >= 1 && p.channels % p.groups == 0 && p.padded <= 1,
               "deformable_columns: groups must divide the channels, padded must be 0 or 1");
  LOWP_REQUIRE(p.kernel_height >= 1 && p.kernel_width >= 1, "deformable_columns: the kernel has no taps");
  constexpr uint32_t kMost = INT32_MAX;
  LOWP_REQUIRE(p.height >= 1 && p.width >= 1 && p.height <= kMost && p.width <= kMost,
               "deformable_columns: the image has no pixels, or too many");
  uint64_t read = 0, moved = 0, masked = 0, written = 0, places = 0;
  LOWP_REQUIRE(CheckedProduct(&places, p.out_height, p.out_width) &&
                   CheckedProduct(&read, p.batch, p.height, p.width, p.channels) &&
                   CheckedProduct(&masked, p.batch, p.groups, p.kernel_height, p.kernel_width, places) &&
                   CheckedMul(masked, 2, &moved) &&
                   CheckedProduct(&written, p.batch, places, p.kernel_height, p.kernel_width, p.channels),
               "deformable_columns: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, read) && call.Input(1).Is(ElementType::kF32, moved) &&
                   (!call.Input(2).present || call.Input(2).Is(ElementType::kF32, masked)) &&
                   call.Output(0).Is(ElementType::kF32, written),
               "deformable_columns: expected f32 x [batch, height, width, channels], offsets [batch, groups, taps, 2, "
               "places], mask [batch, groups, taps, places], y [batch, places, taps, channels]");
  return Status();
}

// Four pixels at most, and their weights.
struct Pixels {
  size_t count = 0;
  const float* at[4];
  float weight[4];
};

class PreparedDeformableColumns final : public PreparedCall {
 public:
  PreparedDeformableColumns(const CallView& call, const PrepareContext& context)
      : p_(call.Params<DeformableColumnsParams>()), has_mask_(call.Input(2).present) {
    const Row<MixRows>& chosen = SelectMix(context);
    mix_ = chosen.run->mix;
    row = chosen.name;
    area_ = size_t{p_.out_height} * p_.out_width;
    taps_ = size_t{p_.kernel_height} * p_.kernel_width;
    tile_places_ = std::max<size_t>(1, kFlatTile / std::max<size_t>(1, taps_ * p_.channels));
    tiles[0] = CeilDiv(p_.batch * area_, tile_places_);
    operations = 8.0 * static_cast<double>(call.Output(0).elements);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const size_t last = std::min(p_.batch * area_, end * tile_places_);
    const size_t channels = p_.channels, group = channels / p_.groups;
    for (size_t place = begin * tile_places_; place < last; place++) {
      float* y = static_cast<float*>(context.outputs[0]) + place * taps_ * channels;
      for (size_t tap = 0; tap < taps_; tap++)
        for (uint32_t g = 0; g < p_.groups; g++) {
          const Pixels pixels = PixelsOf(context, place, tap, g);
          mix_(pixels.at, pixels.weight, pixels.count, y + tap * channels + g * group, group);
        }
    }
  }

 private:
  Pixels PixelsOf(const RunContext& context, size_t place, size_t tap, uint32_t group) const {
    const size_t n = place / area_, at = place % area_;
    const size_t index = (n * p_.groups + group) * taps_ + tap;
    const float* offsets = static_cast<const float*>(context.inputs[1]) + 2 * index * area_ + at;
    const double factor = has_mask_ ? static_cast<const float*>(context.inputs[2])[index * area_ + at] : 1;
    const double row = static_cast<double>(at / p_.out_width) * p_.stride_height - p_.pad_top +
                       static_cast<double>(tap / p_.kernel_width) * p_.dilation_height;
    const double column = static_cast<double>(at % p_.out_width) * p_.stride_width - p_.pad_left +
                          static_cast<double>(tap % p_.kernel_width) * p_.dilation_width;
    const float* x = static_cast<const float*>(context.inputs[0]) + n * p_.height * p_.width * p_.channels +
                     group * (p_.channels / p_.groups);
    return Between(x, row + offsets[0], column + offsets[area_], factor);
  }

  Pixels Between(const float* x, double row, double column, double factor) const {
    Pixels pixels;
    const double least = p_.padded ? -1 : 0;
    const bool is_near = row > -1 && column > -1 && row < p_.height && column < p_.width;
    if (!is_near || row < least || column < least) return pixels;
    const double top = std::floor(row), left = std::floor(column);
    const double rows[2] = {1 - (row - top), row - top}, columns[2] = {1 - (column - left), column - left};
    for (int i = 0; i < 2; i++)
      for (int j = 0; j < 2; j++) {
        int64_t r = static_cast<int64_t>(top) + i, c = static_cast<int64_t>(left) + j;
        const bool is_outside = r < 0 || c < 0 || r >= p_.height || c >= p_.width;
        if (is_outside && p_.padded) continue;
        r = std::min<int64_t>(r, p_.height - 1);
        c = std::min<int64_t>(c, p_.width - 1);
        pixels.at[pixels.count] = x + (static_cast<size_t>(r) * p_.width + static_cast<size_t>(c)) * p_.channels;
        pixels.weight[pixels.count++] = static_cast<float>(rows[i] * columns[j] * factor);
      }
    return pixels;
  }

  DeformableColumnsParams p_;
  bool has_mask_;
  MixFunction mix_ = nullptr;
  size_t area_ = 1, taps_ = 1, tile_places_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return MakeCall<PreparedDeformableColumns>("deformable_columns", call, context);
}

}  // namespace

const KernelDef kernel_deformable_columns = {"deformable_columns", DeformableColumnsParams::Fields, Validate, Prepare};

}  // namespace lowp
