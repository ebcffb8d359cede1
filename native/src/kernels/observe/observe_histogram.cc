// Checks, preparation and tiling of `observe_histogram`. One row: histograms do not gain from vector instructions.
#include "kernels/observe/observe_histogram.h"

#include <algorithm>
#include <cstring>

#include "kernels/flat_tiles.h"

namespace lowp {
namespace {

constexpr size_t kBins = 4096;
constexpr unsigned kShift = 20;
constexpr size_t kChunk = 65536;

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

// Two histograms in turns: equal neighbours are frequent, and a count would have to wait for the one before.
void Count(const float* x, size_t n, uint32_t* scratch, uint32_t* histogram) {
  std::memset(scratch, 0, kBins * sizeof(uint32_t));
  std::memset(histogram, 0, kBins * sizeof(uint32_t));
  uint32_t bits[2];
  size_t i = 0;
  for (; i + 2 <= n; i += 2) {
    std::memcpy(bits, x + i, sizeof bits);
    scratch[bits[0] >> kShift]++;
    histogram[bits[1] >> kShift]++;
  }
  if (i < n) {
    std::memcpy(bits, x + i, sizeof bits[0]);
    scratch[bits[0] >> kShift]++;
  }
  for (size_t bin = 0; bin < kBins; bin++) histogram[bin] += scratch[bin];
}

class ObserveHistogramCall final : public PreparedCall {
 public:
  explicit ObserveHistogramCall(const ObserveHistogramParams& p) : p_(p), chunks_(CeilDiv(p.count, kChunk)) {
    shared_bytes = p.items * chunks_ * kBins * sizeof(uint32_t);
    scratch_bytes = kBins * sizeof(uint32_t);
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
              reinterpret_cast<uint32_t*>(context.scratch), histograms + tile * kBins);
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
