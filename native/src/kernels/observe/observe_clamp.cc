// Checks, preparation and tiling of `observe_clamp`.
#include "kernels/observe/observe_clamp.h"

#include "kernels/observe/chunks.h"
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

Status Validate(const CallView& call) {
  const auto& p = call.Params<ObserveClampParams>();
  uint64_t elements = 0;
  LOWP_REQUIRE(p.channels > 0, "observe_clamp: channels must be positive");
  LOWP_REQUIRE(p.per_channel <= 1, "observe_clamp: per_channel must be 0 or 1");
  LOWP_REQUIRE(p.mean <= 1, "observe_clamp: mean must be 0 or 1");
  LOWP_REQUIRE(p.items > 0, "observe_clamp: items must be positive");
  LOWP_REQUIRE(p.low <= p.high, "observe_clamp: low must not be greater than high");
  LOWP_REQUIRE(CheckedProduct(&elements, p.items, p.outer, p.channels, p.inner), "observe_clamp: sizes overflow");
  const uint64_t statistics = kObserveStatistics * uint64_t{p.items} * (p.per_channel ? p.channels : 1);
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, elements),
               "observe_clamp: x must be f32[items * outer * channels * inner]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, elements),
               "observe_clamp: y must be f32[items * outer * channels * inner]");
  LOWP_REQUIRE(call.Output(1).Is(ElementType::kF32, statistics), "observe_clamp: the statistics of x must be f32[5 * items * C]");
  LOWP_REQUIRE(!call.Output(2).present || call.Output(2).Is(ElementType::kF32, statistics),
               "observe_clamp: the statistics of y must be f32[5 * items * C]");
  return Status();
}

class ObserveClampCall final : public PreparedCall {
 public:
  ObserveClampCall(const ObserveClampParams& p, const PrepareContext& context, bool statistics_of_y)
      : chunks_(p.items, p.outer, p.channels, p.inner, p.per_channel != 0), clamp_{p.low, p.high, p.mean != 0}, both_(statistics_of_y) {
    const Row<ObserveRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    shared_bytes = chunks_.partials() * (sizeof(ObservePartial) + sizeof(double));
    phases = 2;
    tiles[0] = chunks_.tiles();
    tiles[1] = chunks_.combine_tiles();
    operations = 6.0 * p.items * p.outer * p.channels * p.inner;
    inplace_input = 0;
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    ObservePartial* partials = reinterpret_cast<ObservePartial*>(context.shared);
    double* sums = reinterpret_cast<double*>(partials + chunks_.partials());
    if (phase == 1) {
      chunks_.ForResults(begin, end, [&](size_t r) { Combine(partials, sums, r, context); });
      return;
    }
    const float* x = static_cast<const float*>(context.inputs[0]);
    float* y = static_cast<float*>(context.outputs[0]);
    for (size_t tile = begin; tile < end; tile++) {
      const ObserveChunks::Tile t = chunks_.At(tile);
      if (chunks_.columns())
        rows_->clamp_columns(x + t.offset, y + t.offset, clamp_, t.count, t.stride, t.run, partials + t.partial,
                             sums + t.partial);
      else
        rows_->clamp_lanes(x + t.offset, y + t.offset, clamp_, t.run, t.count, t.stride, partials + t.partial,
                           sums + t.partial);
    }
  }

  IndexRange Readable(IndexRange elements) const override { return chunks_.Within(elements); }

 private:
  // Clamping keeps the order of numbers, so the extremes of y are those of x, clamped.
  void Combine(const ObservePartial* partials, const double* sums, size_t r, const RunContext& context) const {
    ObservePartial total = chunks_.Sum(partials, r);
    chunks_.Write(total, r, static_cast<float*>(context.outputs[1]));
    if (!both_) return;
    total.sum = 0.0;
    chunks_.ForChunks(r, [&](size_t i) { total.sum += sums[i]; });
    total.min = Clamped(total.min);
    total.max = Clamped(total.max);
    chunks_.Write(total, r, static_cast<float*>(context.outputs[2]));
  }

  float Clamped(float v) const {
    const float above = v > clamp_.low ? v : clamp_.low;
    return above < clamp_.high ? above : clamp_.high;
  }

  ObserveChunks chunks_;
  ObserveClamp clamp_;
  bool both_;
  const ObserveRows* rows_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(
      std::make_unique<ObserveClampCall>(call.Params<ObserveClampParams>(), context, call.Output(2).present));
}

}  // namespace

const KernelDef kernel_observe_clamp = {"observe_clamp", ObserveClampParams::Fields, Validate, Prepare};

}  // namespace lowp
