// Checks, preparation and tiling of `observe`.
#include "kernels/observe/observe.h"

#include "kernels/observe/chunks.h"
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

Status Validate(const CallView& call) {
  const auto& p = call.Params<ObserveParams>();
  uint64_t elements = 0;
  LOWP_REQUIRE(p.channels > 0, "observe: channels must be positive");
  LOWP_REQUIRE(p.per_channel <= 1, "observe: per_channel must be 0 or 1");
  LOWP_REQUIRE(p.mean <= 1, "observe: mean must be 0 or 1");
  LOWP_REQUIRE(p.items > 0, "observe: items must be positive");
  LOWP_REQUIRE(p.stride == 0 || (p.inner == 1 && p.per_channel == 1 && p.channels > 1),
               "observe: x with a stride must have several channels, each with results of its own, and inner == 1");
  LOWP_REQUIRE(p.stride == 0 ? p.offset == 0 : uint64_t{p.offset} + p.channels <= p.stride,
               "observe: offset + channels must not be greater than stride");
  LOWP_REQUIRE(CheckedProduct(&elements, p.items, p.outer, p.stride ? p.stride : p.channels, p.inner),
               "observe: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, elements),
               "observe: x must be f32[items * outer * channels * inner], or with a stride f32[items * outer * stride]");
  const uint64_t results = uint64_t{p.items} * (p.per_channel ? p.channels : 1);
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, kObserveStatistics * results),
               "observe: y must be f32[5 * items * C]");
  return Status();
}

class ObserveCall final : public PreparedCall {
 public:
  ObserveCall(const ObserveParams& p, const PrepareContext& context)
      : chunks_(p.items, p.outer, p.channels, p.inner, p.per_channel != 0, p.stride), offset_(p.offset), sums_(p.mean != 0) {
    const Row<ObserveRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    shared_bytes = chunks_.partials() * sizeof(ObservePartial);
    phases = 2;
    tiles[0] = chunks_.tiles();
    tiles[1] = chunks_.combine_tiles();
    operations = 3.0 * p.items * p.outer * p.channels * p.inner;
    reads_in_place = true;
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    ObservePartial* partials = reinterpret_cast<ObservePartial*>(context.shared);
    if (phase == 1) {
      float* y = static_cast<float*>(context.outputs[0]);
      chunks_.ForResults(begin, end, [&](size_t r) { chunks_.Write(chunks_.Sum(partials, r), r, y); });
      return;
    }
    const float* x = static_cast<const float*>(context.inputs[0]) + offset_;
    for (size_t tile = begin; tile < end; tile++) {
      const ObserveChunks::Tile t = chunks_.At(tile);
      if (chunks_.columns())
        rows_->columns(x + t.offset, t.count, t.stride, t.run, sums_, partials + t.partial);
      else
        rows_->lanes(x + t.offset, t.run, t.count, t.stride, sums_, partials + t.partial);
    }
  }

  IndexRange Readable(IndexRange elements) const override { return chunks_.Within(elements); }

 private:
  ObserveChunks chunks_;
  size_t offset_;
  bool sums_;
  const ObserveRows* rows_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<ObserveCall>(call.Params<ObserveParams>(), context));
}

}  // namespace

const KernelDef kernel_observe = {"observe", ObserveParams::Fields, Validate, Prepare};

}  // namespace lowp
