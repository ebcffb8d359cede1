// Checks, preparation and tiling of `observe_histogram`.
#include "kernels/observe/observe_histogram.h"

#include <algorithm>
#include <cstring>

#include "kernels/flat_tiles.h"
#include "kernels/observe/histogram_rows.h"
#include "kernels/row.h"

namespace lowp {
namespace {

constexpr size_t kBins = kHistogramBins;
constexpr size_t kChunk = kHistogramChunk;

constexpr Row<HistogramRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(observe_histogram_avx512_16, kAvx512),
#endif
    LOWP_ROW(observe_histogram_scalar, kScalar),
};

Status Validate(const CallView& call) {
  const auto& p = call.Params<ObserveHistogramParams>();
  uint64_t elements = 0;
  LOWP_REQUIRE(p.items > 0, "observe_histogram: items must be positive");
  LOWP_REQUIRE(CheckedMul(p.items, p.count, &elements), "observe_histogram: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, elements), "observe_histogram: x must be f32[items * count]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kI64, uint64_t{p.items} * kBins),
               "observe_histogram: y must be i64[items * 4096]");
  return Status();
}

class ObserveHistogramCall final : public PreparedCall {
 public:
  ObserveHistogramCall(const ObserveHistogramParams& p, const PrepareContext& context)
      : p_(p), chunks_(CeilDiv(p.count, kChunk)) {
    const Row<HistogramRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    shared_bytes = p.items * chunks_ * kBins * sizeof(uint16_t);
    scratch_bytes = rows_->tables * sizeof(HistogramTable);
    phases = 2;
    tiles[0] = p.items * chunks_;
    tiles[1] = p.items;
    operations = static_cast<double>(p.items) * p.count;
    accumulates = true;
  }

  void Reset(const RunContext& context) const override {
    std::memset(context.outputs[0], 0, p_.items * kBins * sizeof(int64_t));
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    uint16_t* counts = reinterpret_cast<uint16_t*>(context.shared);
    if (phase == 1) {
      int64_t* totals = static_cast<int64_t*>(context.outputs[0]);
      for (size_t tile = begin * chunks_; tile < end * chunks_; tile++)
        rows_->add(counts + tile * kBins, totals + tile / chunks_ * kBins);
      return;
    }
    const float* x = static_cast<const float*>(context.inputs[0]);
    HistogramTable* tables = reinterpret_cast<HistogramTable*>(context.scratch);
    for (size_t tile = begin; tile < end; tile++) {
      const size_t first = tile % chunks_ * kChunk;
      const float* from = x + tile / chunks_ * p_.count + first;
      rows_->count(from, std::min<size_t>(kChunk, p_.count - first), tables, counts + tile * kBins);
    }
  }

  IndexRange Readable(IndexRange elements) const override {
    if (p_.items > 1) return {};
    const size_t first = CeilDiv(elements.begin, kChunk);
    const size_t last = elements.end >= p_.count ? chunks_ : elements.end / kChunk;
    return last > first ? IndexRange{first, last} : IndexRange{};
  }

 private:
  ObserveHistogramParams p_;
  size_t chunks_;  // of one item
  const HistogramRows* rows_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<ObserveHistogramCall>(call.Params<ObserveHistogramParams>(), context));
}

}  // namespace

const KernelDef kernel_observe_histogram = {"observe_histogram", ObserveHistogramParams::Fields, Validate, Prepare};

}  // namespace lowp
