// Checks, preparation and tiling of `observe_histogram`. One row: histograms do not gain from vector instructions.
#include "kernels/observe/observe_histogram.h"

#include <algorithm>
#include <cstring>

#include "kernels/flat_tiles.h"

namespace lowp {
namespace {

constexpr size_t kBins = 4096;
constexpr unsigned kShift = 20;
constexpr size_t kChunk = 32768;  // a count fits into 16 bits
constexpr size_t kTables = 4;
// Equal bins of two tables must not be a multiple of 4096 bytes apart: a load would take the other's store for its own.
constexpr size_t kTableStride = kBins + 544;

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

void AddTable(const uint16_t* __restrict from, uint16_t* __restrict to) {
  for (size_t bin = 0; bin < kBins; bin++) to[bin] = static_cast<uint16_t>(to[bin] + from[bin]);
}

// Tables in turns: equal neighbours are frequent, and a count would have to wait for the one before. All lie in L1.
void Count(const float* x, size_t n, uint16_t (*tables)[kTableStride], uint32_t* histogram) {
  std::memset(tables, 0, kTables * sizeof(*tables));
  uint32_t bits[kTables];
  size_t i = 0;
  for (; i + kTables <= n; i += kTables) {
    std::memcpy(bits, x + i, sizeof bits);
#pragma GCC unroll 4
    for (size_t t = 0; t < kTables; t++) tables[t][bits[t] >> kShift]++;
  }
  for (; i < n; i++) {
    std::memcpy(bits, x + i, sizeof bits[0]);
    tables[0][bits[0] >> kShift]++;
  }
  for (size_t step = kTables / 2; step > 0; step /= 2)
    for (size_t t = 0; t < step; t++) AddTable(tables[t + step], tables[t]);
  for (size_t bin = 0; bin < kBins; bin++) histogram[bin] = tables[0][bin];
}

class ObserveHistogramCall final : public PreparedCall {
 public:
  explicit ObserveHistogramCall(const ObserveHistogramParams& p) : p_(p), chunks_(CeilDiv(p.count, kChunk)) {
    shared_bytes = p.items * chunks_ * kBins * sizeof(uint32_t);
    scratch_bytes = kTables * kTableStride * sizeof(uint16_t);
    phases = 2;
    tiles[0] = p.items * chunks_;
    tiles[1] = p.items;
    operations = static_cast<double>(p.items) * p.count;
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    uint32_t* histograms = reinterpret_cast<uint32_t*>(context.shared);
    if (phase == 0) {
      const float* x = static_cast<const float*>(context.inputs[0]);
      for (size_t tile = begin; tile < end; tile++) {
        const size_t first = tile % chunks_ * kChunk;
        Count(x + tile / chunks_ * p_.count + first, std::min<size_t>(kChunk, p_.count - first),
              reinterpret_cast<uint16_t(*)[kTableStride]>(context.scratch), histograms + tile * kBins);
      }
      return;
    }
    float* y = static_cast<float*>(context.outputs[0]);
    for (size_t item = begin; item < end; item++)
      for (size_t bin = 0; bin < kBins; bin++) {
        uint32_t sum = 0;
        for (size_t chunk = 0; chunk < chunks_; chunk++) sum += histograms[(item * chunks_ + chunk) * kBins + bin];
        y[item * kBins + bin] = static_cast<float>(sum);
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
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return PreparedPtr(std::make_unique<ObserveHistogramCall>(call.Params<ObserveHistogramParams>()));
}

}  // namespace

const KernelDef kernel_observe_histogram = {"observe_histogram", ObserveHistogramParams::Fields, Validate, Prepare};

}  // namespace lowp
