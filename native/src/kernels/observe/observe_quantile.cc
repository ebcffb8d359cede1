// Checks, preparation and the selection of `observe_quantile`. One row: histograms do not gain from vector instructions.
#include "kernels/observe/observe_quantile.h"

#include <algorithm>
#include <cstring>

#include "kernels/flat_tiles.h"

namespace lowp {
namespace {

constexpr size_t kBins = 2048;
constexpr size_t kChunk = 65536;
// Bits of the key below each level of bins.
constexpr unsigned kShifts[] = {21, 10, 0};

Status Validate(const CallView& call) {
  const auto& p = call.Params<ObserveQuantileParams>();
  uint64_t elements = 0;
  LOWP_REQUIRE(p.channels > 0, "observe_quantile: channels must be positive");
  LOWP_REQUIRE(p.items > 0, "observe_quantile: items must be positive");
  LOWP_REQUIRE(p.per_channel <= 1, "observe_quantile: per_channel must be 0 or 1");
  LOWP_REQUIRE(p.absolute <= 1, "observe_quantile: absolute must be 0 or 1");
  LOWP_REQUIRE(CheckedProduct(&elements, p.items, p.outer, p.channels, p.inner), "observe_quantile: sizes overflow");
  const uint64_t results = uint64_t{p.items} * (p.per_channel ? p.channels : 1), count = elements / results;
  LOWP_REQUIRE(count <= UINT32_MAX, "observe_quantile: more than 2^32 - 1 elements");
  LOWP_REQUIRE(count == 0 || p.rank < count, "observe_quantile: rank must be below the number of elements");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, elements),
               "observe_quantile: x must be f32[items * outer * channels * inner]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, 2 * results), "observe_quantile: y must be f32[2 * items * C]");
  return Status();
}

// Integers in the order of floats.
template <bool kAbsolute>
uint32_t Key(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if (kAbsolute) return bits & 0x7fffffffu;
  return bits ^ (bits & 0x80000000u ? 0xffffffffu : 0x80000000u);
}

template <bool kAbsolute>
float FromKey(uint32_t key) {
  const uint32_t bits = kAbsolute ? key : key ^ (key & 0x80000000u ? 0x80000000u : 0xffffffffu);
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x + 0.0f;  // -0 becomes +0
}

// Runs of `run` elements, `stride` apart.
struct Elements {
  const float* x;
  size_t run, stride;

  // Calls take(x) for elements [begin, end).
  template <class Take>
  void For(size_t begin, size_t end, Take take) const {
    for (size_t i = begin; i < end;) {
      const size_t at = i % run, n = std::min(run - at, end - i);
      const float* from = x + i / run * stride + at;
      for (size_t j = 0; j < n; j++) take(from[j]);
      i += n;
    }
  }
};

// The bin of a rank, which becomes the rank within the bin.
uint32_t BinOf(const uint32_t* histogram, uint32_t* rank) {
  uint32_t bin = 0;
  while (*rank >= histogram[bin]) *rank -= histogram[bin++];
  return bin;
}

// Two ranks become elements; `histogram` counts the keys' highest bits and is overwritten.
template <bool kAbsolute>
void Select(const Elements& e, size_t count, uint32_t low, uint32_t high, uint32_t* histogram, float* out_low,
            float* out_high) {
  uint32_t prefix = 0;
  for (size_t level = 0;; level++) {
    const unsigned shift = kShifts[level], bits = level == 2 ? 10 : 11;
    const uint32_t low_bin = prefix << bits | BinOf(histogram, &low), high_bin = prefix << bits | BinOf(histogram, &high);
    if (low_bin != high_bin) {
      uint32_t largest = 0, smallest = UINT32_MAX;
      e.For(0, count, [&](float x) {
        const uint32_t key = Key<kAbsolute>(x), bin = key >> shift;
        if (bin == low_bin && key > largest) largest = key;
        if (bin == high_bin && key < smallest) smallest = key;
      });
      *out_low = FromKey<kAbsolute>(largest);
      *out_high = FromKey<kAbsolute>(smallest);
      return;
    }
    prefix = low_bin;
    if (shift == 0) break;
    std::memset(histogram, 0, kBins * sizeof(uint32_t));
    const unsigned next = kShifts[level + 1];
    const uint32_t mask = next == 0 ? 1023 : 2047;
    e.For(0, count, [&](float x) {
      const uint32_t key = Key<kAbsolute>(x);
      if (key >> shift == prefix) histogram[key >> next & mask]++;
    });
  }
  *out_low = *out_high = FromKey<kAbsolute>(prefix);
}

// Counts the highest bits of elements [begin, end). Two histograms in turns: equal neighbours are frequent, and a count
// would have to wait for the one before.
template <bool kAbsolute>
void Count(const Elements& e, size_t begin, size_t end, uint32_t* scratch, uint32_t* histogram) {
  std::memset(scratch, 0, 2 * kBins * sizeof(uint32_t));
  size_t i = 0;
  e.For(begin, end, [&](float x) { scratch[(i++ & 1) * kBins + (Key<kAbsolute>(x) >> kShifts[0])]++; });
  for (size_t bin = 0; bin < kBins; bin++) histogram[bin] = scratch[bin] + scratch[kBins + bin];
}

// Most elements at one end of the order that are kept while the rest pass by.
constexpr size_t kMostKept = 16;

// The least `kept` of the keys that came, ascending.
class Least {
 public:
  explicit Least(size_t kept) : kept_(kept) { std::fill_n(keys_, kMostKept, INT32_MAX); }

  // Nearly all blocks of elements have no key below the last one that is kept.
  template <class KeyOf>
  void Take(const float* x, size_t n, KeyOf key_of) {
    constexpr size_t kBlock = 32;
    size_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
      int32_t least = INT32_MAX;
      for (size_t j = 0; j < kBlock; j++) least = std::min(least, key_of(x[i + j]));
      if (least >= keys_[kept_ - 1]) continue;
      for (size_t j = 0; j < kBlock; j++) Insert(key_of(x[i + j]));
    }
    for (; i < n; i++) Insert(key_of(x[i]));
  }

  int32_t operator[](size_t rank) const { return keys_[rank]; }

 private:
  void Insert(int32_t key) {
    if (key >= keys_[kept_ - 1]) return;
    size_t at = kept_ - 1;
    for (; at > 0 && keys_[at - 1] > key; at--) keys_[at] = keys_[at - 1];
    keys_[at] = key;
  }

  size_t kept_;
  int32_t keys_[kMostKept];
};

// Two ranks of which both are among the kMostKept at the lower end, or at the upper one.
template <bool kAbsolute>
void SelectAtEnd(const Elements& e, size_t count, size_t low, size_t high, float* out_low, float* out_high) {
  const bool above = high >= kMostKept;
  // Signed integers in the order of floats, or in the opposite one.
  const uint32_t turned = above ? 0x7fffffffu : 0x80000000u;
  Least least(above ? count - low : high + 1);
  const auto key_of = [turned](float x) { return static_cast<int32_t>(Key<kAbsolute>(x) ^ turned); };
  for (size_t begin = 0; begin < count; begin += e.run)
    least.Take(e.x + begin / e.run * e.stride, std::min(e.run, count - begin), key_of);
  const auto at = [&](size_t rank) {
    return FromKey<kAbsolute>(static_cast<uint32_t>(least[above ? count - 1 - rank : rank]) ^ turned);
  };
  *out_low = at(low);
  *out_high = at(high);
}

class ObserveQuantileCall final : public PreparedCall {
 public:
  explicit ObserveQuantileCall(const ObserveQuantileParams& p) : p_(p) {
    const size_t elements = size_t{p.items} * p.outer * p.channels * p.inner;
    results_ = size_t{p.items} * (p.per_channel ? p.channels : 1);
    count_ = elements / results_;
    chunks_ = CeilDiv(count_, kChunk);
    next_ = count_ > 0 ? std::min<size_t>(size_t{p.rank} + 1, count_ - 1) : 0;
    at_end_ = count_ > 0 && count_ <= kChunk && (next_ < kMostKept || count_ - p.rank <= kMostKept);
    if (!at_end_) {
      shared_bytes = results_ * chunks_ * kBins * sizeof(uint32_t);
      scratch_bytes = 2 * kBins * sizeof(uint32_t);
    }
    phases = 2;
    tiles[0] = at_end_ ? 0 : results_ * chunks_;
    tiles[1] = results_;
    operations = 3.0 * static_cast<double>(elements);
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    if (p_.absolute)
      RunAs<true>(context, phase, begin, end);
    else
      RunAs<false>(context, phase, begin, end);
  }

 private:
  template <bool kAbsolute>
  void RunAs(const RunContext& context, size_t phase, size_t begin, size_t end) const {
    uint32_t* histograms = reinterpret_cast<uint32_t*>(context.shared);
    const float* x = static_cast<const float*>(context.inputs[0]);
    if (phase == 0) {
      for (size_t tile = begin; tile < end; tile++) {
        const size_t first = tile % chunks_ * kChunk;
        Count<kAbsolute>(ElementsOf(x, tile / chunks_), first, std::min(count_, first + kChunk),
                         reinterpret_cast<uint32_t*>(context.scratch), histograms + tile * kBins);
      }
      return;
    }
    float* y = static_cast<float*>(context.outputs[0]);
    for (size_t r = begin; r < end; r++) {
      if (count_ == 0) {
        y[r] = y[results_ + r] = 0.0f;
        continue;
      }
      if (at_end_) {
        SelectAtEnd<kAbsolute>(ElementsOf(x, r), count_, p_.rank, next_, y + r, y + results_ + r);
        continue;
      }
      uint32_t* histogram = histograms + r * chunks_ * kBins;
      for (size_t chunk = 1; chunk < chunks_; chunk++)
        for (size_t bin = 0; bin < kBins; bin++) histogram[bin] += histogram[chunk * kBins + bin];
      Select<kAbsolute>(ElementsOf(x, r), count_, p_.rank, static_cast<uint32_t>(next_), histogram, y + r, y + results_ + r);
    }
  }

  Elements ElementsOf(const float* x, size_t result) const {
    if (!p_.per_channel) return {x + result * count_, count_, count_};
    const size_t item = result / p_.channels, c = result % p_.channels, stride = size_t{p_.channels} * p_.inner;
    return {x + item * p_.outer * stride + c * p_.inner, p_.inner, stride};
  }

  ObserveQuantileParams p_;
  size_t results_, count_, chunks_;
  size_t next_;   // the rank behind p_.rank
  bool at_end_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return PreparedPtr(std::make_unique<ObserveQuantileCall>(call.Params<ObserveQuantileParams>()));
}

}  // namespace

const KernelDef kernel_observe_quantile = {"observe_quantile", ObserveQuantileParams::Fields, Validate, Prepare};

}  // namespace lowp
