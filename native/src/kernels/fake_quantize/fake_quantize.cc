// Checks, preparation and tiling of `fake_quantize`.
#include "kernels/fake_quantize/fake_quantize.h"

#include <algorithm>

#include "kernels/channel_constants.h"
#include "kernels/fake_quantize/rows.h"
#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<FakeQuantizeRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(fake_quantize_f32_avx512_16, kAvx512),
    LOWP_ROW(fake_quantize_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(fake_quantize_f32_scalar, kScalar),
};

Status Validate(const CallView& call) {
  const auto& p = call.Params<FakeQuantizeParams>();
  uint64_t elements = 0;
  LOWP_REQUIRE(p.channels > 0, "fake_quantize: channels must be positive");
  LOWP_REQUIRE(p.levels >= 2 && p.levels <= 1u << 24, "fake_quantize: levels must be in [2, 2^24]");
  LOWP_REQUIRE(CheckedProduct(&elements, p.outer, p.channels, p.inner), "fake_quantize: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, elements), "fake_quantize: x must be f32[outer * channels * inner]");
  for (size_t i : {1, 2, 3, 4})
    LOWP_REQUIRE(IsChannelConstant(call.Input(i), p.channels),
                 "fake_quantize: limits must be constants f32[1] or f32[channels]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, elements),
               "fake_quantize: y must be f32[outer * channels * inner]");
  return Status();
}

class FakeQuantizeCall final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context) {
    const auto& p = call.Params<FakeQuantizeParams>();
    const size_t channels = p.channels;
    for (size_t i = 0; i < 7; i++) {
      values_[i] = i < 4 ? WrapChannels(call.Input(i + 1), channels) : AllocateAligned<float>(channels + kChannelWrap);
      if (!values_[i]) return Status(Code::kMemory, "fake_quantize: out of memory");
    }
    float *il = values_[0].get(), *ih = values_[1].get(), *ol = values_[2].get(), *oh = values_[3].get();
    float *input_range = values_[4].get(), *output_range = values_[5].get(), *high = values_[6].get();
    uniform_ = IsUniform(il, channels) && IsUniform(ih, channels) && IsUniform(ol, channels) && IsUniform(oh, channels);
    for (size_t c = 0; c < channels + kChannelWrap; c++) {
      input_range[c] = ih[c] - il[c];
      output_range[c] = oh[c] - ol[c];
      high[c] = std::max(il[c], ih[c]);
      ih[c] = std::min(il[c], ih[c]);
    }
    k_ = {ih, high, il, input_range, ol, oh, output_range, static_cast<float>(p.levels - 1), channels};
    packed_bytes = 7 * (channels + kChannelWrap) * sizeof(float);
    const Row<FakeQuantizeRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    inner_ = p.inner;
    elements_ = size_t{p.outer} * channels * p.inner;
    tiles[0] = FlatTileCount(elements_);
    operations = 7.0 * static_cast<double>(elements_);
    inplace_input = 0;
    return Status();
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const FlatRange r = FlatTiles(elements_, begin, end);
    const float* x = static_cast<const float*>(context.inputs[0]);
    float* y = static_cast<float*>(context.outputs[0]);
    if (uniform_) return rows_->uniform(x + r.first, y + r.first, r.count, 0, k_);
    if (inner_ == 1) return rows_->cyclic(x + r.first, y + r.first, r.count, r.first % k_.channels, k_);
    for (size_t at = r.first, last = r.first + r.count; at < last;) {
      const size_t count = std::min(last - at, inner_ - at % inner_);
      rows_->uniform(x + at, y + at, count, at / inner_ % k_.channels, k_);
      at += count;
    }
  }

 private:
  AlignedPtr<float> values_[7];
  FakeQuantizeConstants k_{};
  const FakeQuantizeRows* rows_ = nullptr;
  bool uniform_ = false;  // all channels have the same limits
  size_t inner_ = 1;
  size_t elements_ = 0;
};

}  // namespace

const KernelDef kernel_fake_quantize = {"fake_quantize", FakeQuantizeParams::Fields, Validate,
                                        PrepareCall<FakeQuantizeCall>};

}  // namespace lowp
