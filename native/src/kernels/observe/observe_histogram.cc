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
  LOWP_REQUIRE(p.stride == 0 ? p.offset == 0 : uint64_t{p.offset} + p.run <= p.stride,
               "observe_histogram: offset + run must not be greater than stride");
  LOWP_REQUIRE(CheckedProduct(&elements, p.items, p.rows, p.stride ? p.stride : p.run),
               "observe_histogram: sizes overflow");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, elements),
               "observe_histogram: x must be f32[items * rows * run], or with a stride f32[items * rows * stride]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kI64, uint64_t{p.items} * kBins),
               "observe_histogram: y must be i64[items * 4096]");
  return Status();
}

// Cuts items into chunks: whole runs, or pieces of one that is longer than a chunk.
class ObserveHistogramCall final : public PreparedCall {
 public:
  ObserveHistogramCall(const ObserveHistogramParams& p, const PrepareContext& context) : items_(p.items), offset_(p.offset) {
    const Row<HistogramRows>& chosen = SelectRow(kRows, context);
    rows_ = chosen.run;
    row = chosen.name;
    dense_ = p.stride == 0 || p.stride == p.run;
    run_ = dense_ ? size_t{p.rows} * p.run : p.run;
    count_ = dense_ ? 1 : p.rows;
    stride_ = dense_ ? run_ : p.stride;
    pieces_ = CeilDiv(run_, kChunk);
    runs_ = std::max<size_t>(1, kChunk / std::max<size_t>(1, run_));
    chunks_ = CeilDiv(count_, runs_) * pieces_;
    shared_bytes = items_ * chunks_ * kBins * sizeof(uint16_t);
    scratch_bytes = rows_->tables * sizeof(HistogramTable);
    phases = 2;
    tiles[0] = items_ * chunks_;
    tiles[1] = items_;
    operations = static_cast<double>(items_) * static_cast<double>(count_ * run_);
    accumulates = true;
  }

  void Reset(const RunContext& context) const override {
    std::memset(context.outputs[0], 0, items_ * kBins * sizeof(int64_t));
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    uint16_t* counts = reinterpret_cast<uint16_t*>(context.shared);
    if (phase == 1) {
      int64_t* totals = static_cast<int64_t*>(context.outputs[0]);
      for (size_t tile = begin * chunks_; tile < end * chunks_; tile++)
        rows_->add(counts + tile * kBins, totals + tile / chunks_ * kBins);
      return;
    }
    const float* x = static_cast<const float*>(context.inputs[0]) + offset_;
    HistogramTable* tables = reinterpret_cast<HistogramTable*>(context.scratch);
    for (size_t tile = begin; tile < end; tile++) {
      const float* item = x + tile / chunks_ * count_ * stride_;
      const size_t chunk = tile % chunks_, first = chunk / pieces_ * runs_, at = chunk % pieces_ * kChunk;
      const HistogramRuns runs{item + first * stride_ + at, std::min(kChunk, run_ - at), std::min(runs_, count_ - first),
                               stride_};
      rows_->count(runs, tables, counts + tile * kBins);
    }
  }

  IndexRange Readable(IndexRange elements) const override {
    if (items_ > 1 || !dense_) return {};
    const size_t first = CeilDiv(elements.begin, kChunk);
    const size_t last = elements.end >= run_ ? chunks_ : elements.end / kChunk;
    return last > first ? IndexRange{first, last} : IndexRange{};
  }

 private:
  size_t items_, offset_;
  bool dense_;
  size_t run_, count_, stride_;  // of one item: so many runs of so many elements, so far apart
  size_t pieces_;                // chunks of one run
  size_t runs_;                  // runs of one chunk
  size_t chunks_;                // of one item
  const HistogramRows* rows_ = nullptr;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<ObserveHistogramCall>(call.Params<ObserveHistogramParams>(), context));
}

}  // namespace

const KernelDef kernel_observe_histogram = {"observe_histogram", ObserveHistogramParams::Fields, Validate, Prepare};

}  // namespace lowp
