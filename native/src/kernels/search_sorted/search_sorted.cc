// Checks and runs `search_sorted` (search_sorted.h).
#include "kernels/search_sorted/search_sorted.h"

#include "kernels/flat_tiles.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

Status Validate(const CallView& call) {
  const auto& p = call.Params<SearchSortedParams>();
  const Operand rows = call.Input(0), x = call.Input(1), y = call.Output(0);
  LOWP_REQUIRE(call.inputs.size() == 2 && call.outputs.size() == 1 && rows.present && x.present && y.present,
               "search_sorted: expected two inputs and one output");
  LOWP_REQUIRE(rows.type == x.type && (x.type == ElementType::kF32 || x.type == ElementType::kI32 ||
                                       x.type == ElementType::kI64),
               "search_sorted: rows and values must be of one type: f32, i32 or i64");
  LOWP_REQUIRE(y.type == ElementType::kI32 || y.type == ElementType::kI64, "search_sorted: y must be i32 or i64");
  uint64_t sorted = 0, values = 0;
  LOWP_REQUIRE(CheckedProduct(&sorted, p.rows, p.size) && CheckedProduct(&values, p.rows, p.values) &&
                   rows.elements == sorted && x.elements == values && y.elements == values && p.right <= 1 &&
                   p.size <= uint32_t{INT32_MAX},
               "search_sorted: expected rows [rows, size], x and y [rows, values], right 0 or 1");
  return Status();
}

class PreparedSearchSorted final : public PreparedCall {
 public:
  explicit PreparedSearchSorted(const CallView& call)
      : p_(call.Params<SearchSortedParams>()),
        type_(call.Input(1).type),
        is_wide_(call.Output(0).type == ElementType::kI64),
        count_(call.Input(1).elements) {
    tiles[0] = FlatTileCount(count_);
    operations = static_cast<double>(count_);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const FlatRange range = FlatTiles(count_, begin, end);
    switch (type_) {
      case ElementType::kF32: return RunOn<float>(context, range);
      case ElementType::kI32: return RunOn<int32_t>(context, range);
      default: return RunOn<int64_t>(context, range);
    }
  }

 private:
  template <class T>
  void RunOn(const RunContext& context, FlatRange range) const {
    is_wide_ ? RunAs<T, int64_t>(context, range) : RunAs<T, int32_t>(context, range);
  }

  template <class T, class Index>
  void RunAs(const RunContext& context, FlatRange range) const {
    const T* sorted = static_cast<const T*>(context.inputs[0]);
    const T* x = static_cast<const T*>(context.inputs[1]);
    Index* y = static_cast<Index*>(context.outputs[0]);
    for (size_t i = range.first; i < range.first + range.count; i++)
      y[i] = static_cast<Index>(PlaceOf(sorted + i / p_.values * p_.size, x[i]));
  }

  template <class T>
  size_t PlaceOf(const T* row, T x) const {
    size_t low = 0, high = p_.size;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (p_.right ? row[middle] <= x : row[middle] < x) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  SearchSortedParams p_;
  ElementType type_;
  bool is_wide_;
  uint64_t count_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedSearchSorted>("search_sorted", call);
}

}  // namespace

const KernelDef kernel_search_sorted = {"search_sorted", SearchSortedParams::Fields, Validate, Prepare};

}  // namespace lowp
