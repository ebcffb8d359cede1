// Checks and runs `integer_eltwise` (integer_eltwise.h).
#include "kernels/integer_eltwise/integer_eltwise.h"

#include <algorithm>
#include <limits>
#include <new>

#include "kernels/flat_tiles.h"

namespace lowp {
namespace {

template <class T>
using Function = void (*)(const T* a, size_t a_step, const T* b, size_t b_step, T* y, size_t n);

template <class T, class Op>
void Apply(const T* a, size_t a_step, const T* b, size_t b_step, T* y, size_t n) {
  if (a_step == 1 && b_step == 1) {
    for (size_t i = 0; i < n; i++) y[i] = Op::Of(a[i], b[i]);
  } else if (a_step == 1 && b_step == 0) {
    for (size_t i = 0; i < n; i++) y[i] = Op::Of(a[i], b[0]);
  } else {
    for (size_t i = 0; i < n; i++) y[i] = Op::Of(a[i * a_step], b[i * b_step]);
  }
}

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

constexpr uint32_t kOps = 5;

template <class T>
constexpr Function<T> kFunctions[kOps] = {Apply<T, Add>, Apply<T, Subtract>, Apply<T, Multiply>, Apply<T, Maximum>,
                                          Apply<T, Minimum>};

// True when the operand holds the element with the greatest coordinates. Needs all sizes > 0.
bool Covers(const Operand& o, const uint32_t (&sizes)[4], const uint32_t (&strides)[4]) {
  uint64_t last = 0;
  for (size_t j = 0; j < 4; j++) {
    uint64_t span = 0;
    if (!CheckedMul(uint64_t{sizes[j]} - 1, strides[j], &span) || __builtin_add_overflow(last, span, &last)) return false;
  }
  return o.elements > last;
}

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
  const uint32_t sizes[4] = {p.d0, p.d1, p.d2, p.d3};
  LOWP_REQUIRE(Covers(a, sizes, {p.a_stride0, p.a_stride1, p.a_stride2, p.a_stride3}) &&
                   Covers(b, sizes, {p.b_stride0, p.b_stride1, p.b_stride2, p.b_stride3}),
               "integer_eltwise: a and b must hold every element that is read");
  return Status();
}

// Tiles are parts of a row, or some whole rows; a row is the last dimension.
class IntegerEltwiseCall final : public PreparedCall {
 public:
  explicit IntegerEltwiseCall(const CallView& call)
      : p_(call.Params<IntegerEltwiseParams>()), is_wide_(call.Output(0).type == ElementType::kI64) {
    const size_t n = p_.d3;
    row_count_ = size_t{p_.d0} * p_.d1 * p_.d2;
    columns_ = std::min(n, kFlatTile);
    rows_ = columns_ < n ? 1 : std::max<size_t>(1, kFlatTile / n);
    column_tiles_ = CeilDiv(n, columns_);
    tiles[0] = CeilDiv(row_count_, rows_) * column_tiles_;
    operations = static_cast<double>(call.Output(0).elements);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    for (size_t tile = begin; tile < end; tile++) {
      if (is_wide_) {
        RunTile<int64_t>(context, tile);
      } else {
        RunTile<int32_t>(context, tile);
      }
    }
  }

 private:
  template <class T>
  void RunTile(const RunContext& context, size_t tile) const {
    const size_t first = tile / column_tiles_ * rows_, last = std::min(row_count_, first + rows_);
    const size_t column = tile % column_tiles_ * columns_, n = std::min<size_t>(columns_, p_.d3 - column);
    for (size_t row = first; row < last; row++) {
      const size_t i2 = row % p_.d2, i1 = row / p_.d2 % p_.d1, i0 = row / p_.d2 / p_.d1;
      const size_t a = i0 * p_.a_stride0 + i1 * p_.a_stride1 + i2 * p_.a_stride2 + column * p_.a_stride3;
      const size_t b = i0 * p_.b_stride0 + i1 * p_.b_stride1 + i2 * p_.b_stride2 + column * p_.b_stride3;
      kFunctions<T>[p_.op](static_cast<const T*>(context.inputs[0]) + a, p_.a_stride3,
                           static_cast<const T*>(context.inputs[1]) + b, p_.b_stride3,
                           static_cast<T*>(context.outputs[0]) + row * p_.d3 + column, n);
    }
  }

  IntegerEltwiseParams p_;
  bool is_wide_;
  size_t row_count_ = 0, rows_ = 1, columns_ = 1, column_tiles_ = 1;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  PreparedPtr prepared(new (std::nothrow) IntegerEltwiseCall(call));
  if (!prepared) return Status(Code::kMemory, "integer_eltwise: out of memory");
  return prepared;
}

}  // namespace

const KernelDef kernel_integer_eltwise = {"integer_eltwise", IntegerEltwiseParams::Fields, Validate, Prepare};

}  // namespace lowp
