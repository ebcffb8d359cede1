// Checks, preparation and tiling of `observe`.
#include "kernels/observe/observe.h"

#include <algorithm>
#include <cmath>

#include "kernels/flat_tiles.h"
#include "kernels/observe/rows.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr Row<ObserveRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(observe_f32_avx512_64, kAvx512),
    LOWP_ROW(observe_f32_avx2_16, kAvx2),
#endif
    LOWP_ROW(observe_f32_scalar, kScalar),
};

// Part of the results: changing them changes sums in the last bits.
constexpr size_t kChunkElements = 16384;
constexpr size_t kChunkRows = 256;

// Channels that one tile of the second phase combines.
constexpr size_t kCombineTile = 64;

constexpr size_t kStatistics = 5;

Status Validate(const CallView& call) {
  const auto& p = call.Params<ObserveParams>();
  uint64_t elements = 0;
  LOWP_REQUIRE(p.channels > 0, "observe: channels must be positive");
  LOWP_REQUIRE(p.per_channel <= 1, "observe: per_channel must be 0 or 1");
  LOWP_REQUIRE(CheckedProduct(&elements, p.outer, p.channels, p.inner), "observe: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, elements), "observe: x must be f32[outer * channels * inner]");
  const uint64_t channels = p.per_channel ? p.channels : 1;
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, kStatistics * channels), "observe: y must be f32[5 * C]");
  return Status();
}

class ObserveCall final : public PreparedCall {
 public:
  ObserveCall(const ObserveParams& p, const PrepareContext& context) {
    const Row<ObserveRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    const size_t elements = size_t{p.outer} * p.channels * p.inner;
    channels_ = p.per_channel ? p.channels : 1;
    count_ = elements / channels_;
    columns_ = channels_ > 1 && p.inner == 1;
    outer_ = channels_ > 1 ? p.outer : 1;
    inner_ = channels_ > 1 ? p.inner : elements;
    size_t chunks = 0, tiles_per_chunk = channels_;
    if (elements == 0) {
      tiles_per_chunk = 0;
    } else if (columns_) {
      chunks = CeilDiv(outer_, kChunkRows);
      tiles_per_chunk = CeilDiv(channels_, kObserveColumns);
    } else {
      pieces_ = CeilDiv(inner_, kChunkElements);
      runs_ = std::max<size_t>(1, kChunkElements / inner_);
      chunks = CeilDiv(outer_, runs_) * pieces_;
    }
    chunks_ = chunks;
    shared_bytes = chunks * channels_ * sizeof(ObservePartial);
    phases = 2;
    tiles[0] = chunks * tiles_per_chunk;
    tiles[1] = CeilDiv(channels_, kCombineTile);
    operations = 3.0 * static_cast<double>(elements);
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    const float* x = static_cast<const float*>(context.inputs[0]);
    ObservePartial* partials = reinterpret_cast<ObservePartial*>(context.shared);
    if (phase == 1) {
      const size_t last = std::min(channels_, end * kCombineTile);
      for (size_t c = begin * kCombineTile; c < last; c++)
        Combine(partials, c, static_cast<float*>(context.outputs[0]));
      return;
    }
    for (size_t tile = begin; tile < end; tile++) {
      if (columns_)
        ColumnTile(x, tile, partials);
      else
        LaneTile(x, tile, partials);
    }
  }

 private:
  void ColumnTile(const float* x, size_t tile, ObservePartial* partials) const {
    const size_t strips = CeilDiv(channels_, kObserveColumns);
    const size_t chunk = tile / strips, c = tile % strips * kObserveColumns;
    const size_t first = chunk * kChunkRows;
    rows_->columns(x + first * channels_ + c, std::min(kChunkRows, outer_ - first), channels_,
                   std::min(kObserveColumns, channels_ - c), partials + chunk * channels_ + c);
  }

  void LaneTile(const float* x, size_t tile, ObservePartial* partials) const {
    const size_t chunk = tile / channels_, c = tile % channels_;
    const size_t outer = chunk / pieces_ * runs_, at = chunk % pieces_ * kChunkElements;
    rows_->lanes(x + (outer * channels_ + c) * inner_ + at, std::min(kChunkElements, inner_ - at),
                 std::min(runs_, outer_ - outer), channels_ * inner_, partials + tile);
  }

  void Combine(const ObservePartial* partials, size_t c, float* y) const {
    double sum = 0.0;
    float min = INFINITY, max = -INFINITY;
    uint64_t non_finite = 0;
    for (size_t chunk = 0; chunk < chunks_; chunk++) {
      const ObservePartial& p = partials[chunk * channels_ + c];
      sum += p.sum;
      min = std::min(min, p.min);
      max = std::max(max, p.max);
      non_finite += p.non_finite;
    }
    const uint64_t finite = count_ - non_finite;
    // Adding +0 turns -0 into +0.
    y[c] = finite ? min + 0.0f : 0.0f;
    y[channels_ + c] = finite ? max + 0.0f : 0.0f;
    y[2 * channels_ + c] = finite ? std::max(std::fabs(min), std::fabs(max)) : 0.0f;
    y[3 * channels_ + c] = finite ? static_cast<float>(sum / static_cast<double>(finite)) : 0.0f;
    y[4 * channels_ + c] = static_cast<float>(non_finite);
  }

  size_t channels_;  // rows of statistics have this length
  size_t count_;     // elements per channel
  size_t outer_, inner_;
  size_t chunks_ = 0;  // per channel
  size_t pieces_ = 1;  // chunks of one run
  size_t runs_ = 1;    // runs of one chunk
  bool columns_;
  const ObserveRows* rows_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<ObserveCall>(call.Params<ObserveParams>(), context));
}

}  // namespace

const KernelDef kernel_observe = {"observe", ObserveParams::Fields, Validate, Prepare};

}  // namespace lowp
