// Checks and runs `cum_sum` (cum_sum.h).
#include "kernels/cum_sum/cum_sum.h"

#include <algorithm>
#include <limits>

#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

// Neighbouring lines that are summed together.
constexpr size_t kLines = 64;

Status Validate(const CallView& call) {
  const auto& p = call.Params<CumSumParams>();
  const Operand x = call.Input(0), y = call.Output(0);
  LOWP_REQUIRE(call.inputs.size() == 1 && call.outputs.size() == 1 && x.present && y.present && x.type == y.type &&
                   (x.type == ElementType::kF32 || x.type == ElementType::kI32 || x.type == ElementType::kI64),
               "cum_sum: expected x and y of one type: f32, i32 or i64");
  uint64_t elements = 0;
  LOWP_REQUIRE(CheckedProduct(&elements, p.outer, p.size, p.inner) && x.elements == elements && y.elements == elements,
               "cum_sum: expected x and y [outer, size, inner]");
  LOWP_REQUIRE(p.exclusive <= 1 && p.reverse <= 1, "cum_sum: exclusive and reverse must be 0 or 1");
  return Status();
}

double Sum(double a, float b) { return a + b; }
int64_t Sum(int64_t a, int64_t b) {
  int64_t sum;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

void Store(double sum, float* y) { *y = static_cast<float>(sum); }
void Store(int64_t sum, int32_t* y) {
  *y = static_cast<int32_t>(std::clamp(sum, int64_t{INT32_MIN}, int64_t{INT32_MAX}));
}
void Store(int64_t sum, int64_t* y) { *y = sum; }

class PreparedCumSum final : public PreparedCall {
 public:
  explicit PreparedCumSum(const CallView& call) : p_(call.Params<CumSumParams>()), type_(call.Input(0).type) {
    inplace_input = 0;
    blocks_ = CeilDiv(p_.inner, kLines);
    tiles[0] = p_.size > 0 ? p_.outer * blocks_ : 0;
    operations = static_cast<double>(call.Input(0).elements);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    for (size_t tile = begin; tile < end; tile++) {
      switch (type_) {
        case ElementType::kF32: RunTile<float, double>(context, tile); break;
        case ElementType::kI32: RunTile<int32_t, int64_t>(context, tile); break;
        default: RunTile<int64_t, int64_t>(context, tile);
      }
    }
  }

 private:
  template <class T, class Wide>
  void RunTile(const RunContext& context, size_t tile) const {
    const size_t first = tile % blocks_ * kLines, count = std::min<size_t>(kLines, p_.inner - first);
    const size_t base = tile / blocks_ * p_.size * p_.inner + first;
    const T* x = static_cast<const T*>(context.inputs[0]) + base;
    T* y = static_cast<T*>(context.outputs[0]) + base;
    Wide sums[kLines] = {};
    for (size_t i = 0; i < p_.size; i++) {
      const size_t at = (p_.reverse ? p_.size - 1 - i : i) * p_.inner;
      for (size_t k = 0; k < count; k++) {
        const Wide next = Sum(sums[k], x[at + k]);
        Store(p_.exclusive ? sums[k] : next, y + at + k);
        sums[k] = next;
      }
    }
  }

  CumSumParams p_;
  ElementType type_;
  size_t blocks_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedCumSum>("cum_sum", call);
}

}  // namespace

const KernelDef kernel_cum_sum = {"cum_sum", CumSumParams::Fields, Validate, Prepare};

}  // namespace lowp
