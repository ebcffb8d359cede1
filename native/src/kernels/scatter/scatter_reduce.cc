// Checks and runs `scatter_reduce` (scatter_reduce.h).
#include "kernels/scatter/scatter_reduce.h"

#include <algorithm>
#include <cmath>

#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

enum Reduction : uint32_t { kSum, kDifference, kProduct, kMinimum, kMaximum, kMean, kReductions };

Status Validate(const CallView& call) {
  const ScatterReduceParams& p = call.Params<ScatterReduceParams>();
  const Operand x = call.Input(0), updates = call.Input(2), y = call.Output(0);
  LOWP_REQUIRE(call.inputs.size() == 3 && call.outputs.size() == 1 && x.present && updates.present && y.present,
               "scatter_reduce: expected three inputs and one output");
  LOWP_REQUIRE((x.type == ElementType::kF32 || x.type == ElementType::kI32 || x.type == ElementType::kI64) &&
                   x.type == y.type && x.type == updates.type && x.elements == y.elements,
               "scatter_reduce: x, y and the updates must be f32, all i32 or all i64, x and y of the same size");
  LOWP_REQUIRE(p.reduction < kReductions && p.keep <= 1,
               "scatter_reduce: expected a reduction below 6, and keep 0 or 1");
  uint64_t bytes = 0;
  LOWP_REQUIRE(CheckedProduct(&bytes, x.elements, sizeof(double) + sizeof(uint32_t)),
               "scatter_reduce: sizes overflow");
  return Picks::Of(p).Validate("scatter_reduce", call.Input(1), x.elements, updates.elements);
}

double Minimum(double a, double b) {
  if (a == b) return std::signbit(a) ? a : b;
  return a != a || a < b ? a : b;
}
double Maximum(double a, double b) {
  if (a == b) return std::signbit(a) ? b : a;
  return a != a || a > b ? a : b;
}

template <Reduction kReduction>
double Reduced(double value, double update) {
  switch (kReduction) {
    case kDifference: return value - update;
    case kProduct: return value * update;
    case kMinimum: return Minimum(value, update);
    case kMaximum: return Maximum(value, update);
    default: return value + update;
  }
}

float Stored(float, double value) { return static_cast<float>(value); }
int32_t Stored(int32_t, double value) {
  if (value != value) return 0;
  return static_cast<int32_t>(std::clamp(value, double{INT32_MIN}, double{INT32_MAX}));
}
int64_t Stored(int64_t, double value) {
  if (value != value) return 0;
  if (value >= 0x1p63) return INT64_MAX;
  return value < -0x1p63 ? INT64_MIN : static_cast<int64_t>(value);
}

// Phase 0 makes x doubles, phase 1 reduces, phase 2 makes them elements. Tiles of phase 1 write apart: they are steps of
// the outermost loop where these reach different elements.
class PreparedScatterReduce final : public PreparedCall {
 public:
  explicit PreparedScatterReduce(const CallView& call)
      : p_(call.Params<ScatterReduceParams>()),
        picks_(Picks::Of(p_)),
        elements_(call.Input(0).elements),
        type_(call.Input(0).type),
        index_type_(call.Input(1).type) {
    phases = 3;
    inplace_input = 0;
    tiles[0] = tiles[2] = FlatTileCount(elements_);
    tiles[1] = picks_.base_strides[0] >= picks_.Reach(1) ? picks_.counts[0] : 1;
    inner_ = picks_.count() / tiles[1];
    counts_ = p_.reduction == kMean || !p_.keep;
    shared_bytes = elements_ * (sizeof(double) + (counts_ ? sizeof(uint32_t) : 0));
    operations = static_cast<double>(call.Input(2).elements);
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    switch (type_) {
      case ElementType::kF32: return RunAs<float>(context, phase, begin, end);
      case ElementType::kI32: return RunAs<int32_t>(context, phase, begin, end);
      default: return RunAs<int64_t>(context, phase, begin, end);
    }
  }

  std::string Describe(const RunContext& context, uint64_t position) const override {
    return picks_.Describe(context.inputs[1], index_type_, position);
  }

 private:
  double* Values(const RunContext& context) const { return reinterpret_cast<double*>(context.shared); }
  // How many numbers each value is made of.
  uint32_t* Counts(const RunContext& context) const {
    return counts_ ? reinterpret_cast<uint32_t*>(context.shared + elements_ * sizeof(double)) : nullptr;
  }

  template <class T>
  void RunAs(const RunContext& context, size_t phase, size_t begin, size_t end) const {
    if (phase == 1) return Reduce<T>(context, begin * inner_, end * inner_);
    const FlatRange range = FlatTiles(elements_, begin, end);
    if (phase == 0) {
      const T* x = static_cast<const T*>(context.inputs[0]) + range.first;
      std::copy(x, x + range.count, Values(context) + range.first);
      if (counts_) std::fill_n(Counts(context) + range.first, range.count, p_.keep);
    } else {
      Store(context, range, static_cast<T*>(context.outputs[0]) + range.first);
    }
  }

  template <class T>
  void Reduce(const RunContext& context, uint64_t first, uint64_t last) const {
    switch (p_.reduction) {
      case kDifference: return ReduceBy<T, kDifference>(context, first, last);
      case kProduct: return ReduceBy<T, kProduct>(context, first, last);
      case kMinimum: return ReduceBy<T, kMinimum>(context, first, last);
      case kMaximum: return ReduceBy<T, kMaximum>(context, first, last);
      default: return ReduceBy<T, kSum>(context, first, last);
    }
  }

  template <class T, Reduction kReduction>
  void ReduceBy(const RunContext& context, uint64_t first, uint64_t last) const {
    double* values = Values(context);
    uint32_t* counts = Counts(context);
    const T* updates = static_cast<const T*>(context.inputs[2]);
    const uint64_t block = picks_.block;
    const auto visit = [&](uint64_t pick, int64_t element) {
      if (element < 0) return;
      for (uint64_t k = 0; k < block; k++) {
        const uint64_t at = static_cast<uint64_t>(element) + k;
        const double update = updates[pick * block + k];
        values[at] = counts && counts[at]++ == 0 ? update : Reduced<kReduction>(values[at], update);
      }
    };
    if (index_type_ == ElementType::kI64) {
      picks_.ForEach(static_cast<const int64_t*>(context.inputs[1]), first, last, context.fault, visit);
    } else {
      picks_.ForEach(static_cast<const int32_t*>(context.inputs[1]), first, last, context.fault, visit);
    }
  }

  template <class T>
  void Store(const RunContext& context, FlatRange range, T* y) const {
    const double* values = Values(context) + range.first;
    const uint32_t* counts = p_.reduction == kMean ? Counts(context) + range.first : nullptr;
    for (size_t i = 0; i < range.count; i++) {
      const double value = counts && counts[i] > 0 ? values[i] / counts[i] : values[i];
      y[i] = Stored(T{}, counts && type_ != ElementType::kF32 ? std::floor(value) : value);
    }
  }

  ScatterReduceParams p_;
  Picks picks_;
  uint64_t elements_;
  ElementType type_;
  ElementType index_type_;
  uint64_t inner_ = 1;
  bool counts_ = false;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedScatterReduce>("scatter_reduce", call);
}

}  // namespace

const KernelDef kernel_scatter_reduce = {"scatter_reduce", ScatterReduceParams::Fields, Validate, Prepare};

}  // namespace lowp
