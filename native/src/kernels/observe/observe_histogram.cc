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
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, uint64_t{p.items} * kBins),
               "observe_histogram: y must be f32[items * 4096]");
  return Status();
}

void AddTable(const HistogramTable& from, HistogramTable* __restrict to) {
  for (size_t bin = 0; bin < kBins; bin++) to->counts[bin] = static_cast<uint16_t>(to->counts[bin] + from.counts[bin]);
}

void AddHistogram(const uint32_t* __restrict from, uint32_t* __restrict to) {
  for (size_t bin = 0; bin < kBins; bin++) to[bin] += from[bin];
}

template <class T>
void Count(const HistogramRows& rows, const float* x, size_t n, HistogramTable* tables, T* histogram) {
  std::memset(tables, 0, rows.tables * sizeof(*tables));
  rows.count(x, n, tables);
  for (size_t step = rows.tables / 2; step > 0; step /= 2)
    for (size_t t = 0; t < step; t++) AddTable(tables[t + step], &tables[t]);
  for (size_t bin = 0; bin < kBins; bin++) histogram[bin] = static_cast<T>(tables[0].counts[bin]);
}

class ObserveHistogramCall final : public PreparedCall {
 public:
  ObserveHistogramCall(const ObserveHistogramParams& p, const PrepareContext& context)
      : p_(p), chunks_(CeilDiv(p.count, kChunk)) {
    const Row<HistogramRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    const bool joins = chunks_ != 1;
    shared_bytes = joins ? p.items * chunks_ * kBins * sizeof(uint32_t) : 0;
    scratch_bytes = rows_->tables * sizeof(HistogramTable);
    phases = joins ? 2 : 1;
    tiles[0] = p.items * chunks_;
    tiles[1] = p.items;
    operations = static_cast<double>(p.items) * p.count;
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    uint32_t* histograms = reinterpret_cast<uint32_t*>(context.shared);
    float* y = static_cast<float*>(context.outputs[0]);
    if (phase == 0) {
      const float* x = static_cast<const float*>(context.inputs[0]);
      for (size_t tile = begin; tile < end; tile++) {
        const size_t first = tile % chunks_ * kChunk;
        const float* from = x + tile / chunks_ * p_.count + first;
        const size_t n = std::min<size_t>(kChunk, p_.count - first);
        HistogramTable* tables = reinterpret_cast<HistogramTable*>(context.scratch);
        if (chunks_ == 1)
          Count(*rows_, from, n, tables, y + tile * kBins);
        else
          Count(*rows_, from, n, tables, histograms + tile * kBins);
      }
      return;
    }
    for (size_t item = begin; item < end; item++) {
      uint32_t* sums = histograms + item * chunks_ * kBins;
      for (size_t chunk = 1; chunk < chunks_; chunk++) AddHistogram(sums + chunk * kBins, sums);
      for (size_t bin = 0; bin < kBins; bin++) y[item * kBins + bin] = chunks_ ? static_cast<float>(sums[bin]) : 0.0f;
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
