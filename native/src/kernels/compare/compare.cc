// Checks and runs `compare` (compare.h).
#include "kernels/compare/compare.h"

#include "kernels/common/broadcast.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

#define LOWP_COMPARISON(Name, expression) \
  struct Name {                           \
    template <class T>                    \
    static uint8_t Of(T a, T b) {         \
      return expression;                  \
    }                                     \
  };
LOWP_COMPARISON(Equal, a == b)
LOWP_COMPARISON(NotEqual, a != b)
LOWP_COMPARISON(Less, a < b)
LOWP_COMPARISON(LessEqual, a <= b)
LOWP_COMPARISON(Greater, a > b)
LOWP_COMPARISON(GreaterEqual, a >= b)
LOWP_COMPARISON(And, a != 0 && b != 0)
LOWP_COMPARISON(Or, a != 0 || b != 0)
#undef LOWP_COMPARISON

constexpr uint32_t kOps = 8, kFirstLogical = 6;

template <class T, class Op>
constexpr PairFunction<T, uint8_t> kApply = ApplyToPairs<T, uint8_t, Op>;

template <class T>
constexpr PairFunction<T, uint8_t> kFunctions[kOps] = {
    kApply<T, Equal>,   kApply<T, NotEqual>,     kApply<T, Less>, kApply<T, LessEqual>,
    kApply<T, Greater>, kApply<T, GreaterEqual>, kApply<T, And>,  kApply<T, Or>};

Status Validate(const CallView& call) {
  const auto& p = call.Params<CompareParams>();
  const Operand a = call.Input(0), b = call.Input(1), y = call.Output(0);
  LOWP_REQUIRE(call.inputs.size() == 2 && call.outputs.size() == 1, "compare: expected two inputs and one output");
  LOWP_REQUIRE(a.present && b.present && y.present && a.type == b.type && y.type == ElementType::kBoolean,
               "compare: a and b must have one type, y must be boolean");
  const bool is_boolean = a.type == ElementType::kBoolean;
  LOWP_REQUIRE(is_boolean || a.type == ElementType::kF32 || a.type == ElementType::kI32 || a.type == ElementType::kI64,
               "compare: a and b must be f32, i32, i64 or boolean");
  LOWP_REQUIRE(p.op < (is_boolean ? kOps : kFirstLogical), "compare: unknown op");
  uint64_t elements = 0;
  LOWP_REQUIRE(CheckedProduct(&elements, p.d0, p.d1, p.d2, p.d3) && elements == y.elements && elements > 0,
               "compare: y must have d0 * d1 * d2 * d3 elements, and one at least");
  const Broadcast<2> rows = PairsOf(p);
  LOWP_REQUIRE(rows.Covers(0, a) && rows.Covers(1, b), "compare: a and b must hold every element that is read");
  return Status();
}

class CompareCall final : public PreparedCall {
 public:
  explicit CompareCall(const CallView& call)
      : rows_(PairsOf(call.Params<CompareParams>())),
        op_(call.Params<CompareParams>().op),
        type_(call.Input(0).type) {
    tiles[0] = rows_.tiles();
    operations = static_cast<double>(call.Output(0).elements);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    switch (type_) {
      case ElementType::kF32:
        return RunAs<float>(context, begin, end);
      case ElementType::kI32:
        return RunAs<int32_t>(context, begin, end);
      case ElementType::kI64:
        return RunAs<int64_t>(context, begin, end);
      default:
        return RunAs<uint8_t>(context, begin, end);
    }
  }

 private:
  template <class T>
  void RunAs(const RunContext& context, size_t begin, size_t end) const {
    ForEachPairOfRows<T, uint8_t>(rows_, context, begin, end, kFunctions<T>[op_]);
  }

  Broadcast<2> rows_;
  uint32_t op_;
  ElementType type_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<CompareCall>("compare", call);
}

}  // namespace

const KernelDef kernel_compare = {"compare", CompareParams::Fields, Validate, Prepare};

}  // namespace lowp
