// Checks and runs `integer_eltwise` (integer_eltwise.h).
#include "kernels/integer_eltwise/integer_eltwise.h"

#include <limits>
#include <type_traits>

#include "kernels/common/broadcast.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

// The end of the range beyond which a result lies.
template <class T>
T End(bool is_negative) {
  return is_negative ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

struct Add {
  template <class T>
  static T Of(T a, T b) {
    T sum;
    return __builtin_add_overflow(a, b, &sum) ? End<T>(a < 0) : sum;
  }
};
struct Subtract {
  template <class T>
  static T Of(T a, T b) {
    T difference;
    return __builtin_sub_overflow(a, b, &difference) ? End<T>(a < 0) : difference;
  }
};
struct Multiply {
  template <class T>
  static T Of(T a, T b) {
    T product;
    return __builtin_mul_overflow(a, b, &product) ? End<T>((a < 0) != (b < 0)) : product;
  }
};
struct Maximum {
  template <class T>
  static T Of(T a, T b) { return a > b ? a : b; }
};
struct Minimum {
  template <class T>
  static T Of(T a, T b) { return a < b ? a : b; }
};

struct DivideTowardZero {
  template <class T>
  static T Of(T a, T b) {
    if (b == 0) return a == 0 ? 0 : End<T>(a < 0);
    if (b == -1) return a == std::numeric_limits<T>::min() ? std::numeric_limits<T>::max() : -a;
    return a / b;
  }
};
// Rounded down.
struct Divide {
  template <class T>
  static T Of(T a, T b) {
    if (b == 0 || b == -1) return DivideTowardZero::Of(a, b);
    const T quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
  }
};
struct Remainder {
  template <class T>
  static T Of(T a, T b) { return b == 0 || b == -1 ? 0 : a % b; }
};
// With the sign of b.
struct FloorRemainder {
  template <class T>
  static T Of(T a, T b) {
    const T rest = Remainder::Of(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
};

struct And {
  template <class T>
  static T Of(T a, T b) { return a & b; }
};
struct Or {
  template <class T>
  static T Of(T a, T b) { return a | b; }
};
struct Xor {
  template <class T>
  static T Of(T a, T b) { return a ^ b; }
};

// By n >= 0 bits; -b of the least number is that number, so that n is unsigned.
template <class T>
T ShiftedLeft(T a, std::make_unsigned_t<T> n) {
  return n < sizeof(T) * 8 ? static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) << n) : T{0};
}
template <class T>
T ShiftedRight(T a, std::make_unsigned_t<T> n) {
  return a >> (n < sizeof(T) * 8 ? n : sizeof(T) * 8 - 1);
}
struct ShiftLeft {
  template <class T>
  static T Of(T a, T b) {
    const std::make_unsigned_t<T> n = b;
    return b < 0 ? ShiftedRight<T>(a, 0 - n) : ShiftedLeft<T>(a, n);
  }
};
struct ShiftRight {
  template <class T>
  static T Of(T a, T b) {
    const std::make_unsigned_t<T> n = b;
    return b < 0 ? ShiftedLeft<T>(a, 0 - n) : ShiftedRight<T>(a, n);
  }
};

constexpr uint32_t kOps = 14;

template <class T, class Op>
constexpr PairFunction<T, T> kApply = ApplyToPairs<T, T, Op>;

template <class T>
constexpr PairFunction<T, T> kFunctions[kOps] = {
    kApply<T, Add>,    kApply<T, Subtract>,         kApply<T, Multiply>,  kApply<T, Maximum>,       kApply<T, Minimum>,
    kApply<T, Divide>, kApply<T, DivideTowardZero>, kApply<T, Remainder>, kApply<T, FloorRemainder>, kApply<T, And>,
    kApply<T, Or>,     kApply<T, Xor>,              kApply<T, ShiftLeft>, kApply<T, ShiftRight>};

Status Validate(const CallView& call) {
  const auto& p = call.Params<IntegerEltwiseParams>();
  const Operand a = call.Input(0), b = call.Input(1), y = call.Output(0);
  LOWP_REQUIRE(p.op < kOps, "integer_eltwise: unknown op");
  LOWP_REQUIRE(a.present && b.present && y.present && a.type == b.type && a.type == y.type &&
                   (a.type == ElementType::kI32 || a.type == ElementType::kI64),
               "integer_eltwise: a, b and y must be i32, or all i64");
  uint64_t elements = 0;
  LOWP_REQUIRE(CheckedProduct(&elements, p.d0, p.d1, p.d2, p.d3) && elements == y.elements && elements > 0,
               "integer_eltwise: y must have d0 * d1 * d2 * d3 elements, and one at least");
  const Broadcast<2> rows = PairsOf(p);
  LOWP_REQUIRE(rows.Covers(0, a) && rows.Covers(1, b), "integer_eltwise: a and b must hold every element that is read");
  return Status();
}

class IntegerEltwiseCall final : public PreparedCall {
 public:
  explicit IntegerEltwiseCall(const CallView& call)
      : rows_(PairsOf(call.Params<IntegerEltwiseParams>())),
        op_(call.Params<IntegerEltwiseParams>().op),
        is_wide_(call.Output(0).type == ElementType::kI64) {
    tiles[0] = rows_.tiles();
    operations = static_cast<double>(call.Output(0).elements);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    is_wide_ ? RunAs<int64_t>(context, begin, end) : RunAs<int32_t>(context, begin, end);
  }

 private:
  template <class T>
  void RunAs(const RunContext& context, size_t begin, size_t end) const {
    ForEachPairOfRows<T, T>(rows_, context, begin, end, kFunctions<T>[op_]);
  }

  Broadcast<2> rows_;
  uint32_t op_;
  bool is_wide_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<IntegerEltwiseCall>("integer_eltwise", call);
}

}  // namespace

const KernelDef kernel_integer_eltwise = {"integer_eltwise", IntegerEltwiseParams::Fields, Validate, Prepare};

}  // namespace lowp
