// Checks and runs `select` (select.h).
#include "kernels/select/select.h"

#include "kernels/common/broadcast.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

Broadcast<3> BroadcastOf(const SelectParams& p) {
  return {{p.d0, p.d1, p.d2, p.d3},
          {{{p.c_stride0, p.c_stride1, p.c_stride2, p.c_stride3}},
           {{p.a_stride0, p.a_stride1, p.a_stride2, p.a_stride3}},
           {{p.b_stride0, p.b_stride1, p.b_stride2, p.b_stride3}}}};
}

Status Validate(const CallView& call) {
  const auto& p = call.Params<SelectParams>();
  const Operand c = call.Input(0), a = call.Input(1), b = call.Input(2), y = call.Output(0);
  LOWP_REQUIRE(call.inputs.size() == 3 && call.outputs.size() == 1, "select: expected three inputs and one output");
  LOWP_REQUIRE(c.present && a.present && b.present && y.present && c.type == ElementType::kBoolean && a.type == b.type &&
                   a.type == y.type,
               "select: the condition must be boolean; a, b and y must have one type");
  uint64_t elements = 0;
  LOWP_REQUIRE(CheckedProduct(&elements, p.d0, p.d1, p.d2, p.d3) && elements == y.elements && elements > 0,
               "select: y must have d0 * d1 * d2 * d3 elements, and one at least");
  const Broadcast<3> rows = BroadcastOf(p);
  LOWP_REQUIRE(rows.Covers(0, c) && rows.Covers(1, a) && rows.Covers(2, b),
               "select: the condition, a and b must hold every element that is read");
  return Status();
}

// Elements are moved as whole numbers of their size.
class SelectCall final : public PreparedCall {
 public:
  explicit SelectCall(const CallView& call)
      : rows_(BroadcastOf(call.Params<SelectParams>())), item_bytes_(SizeOf(call.Output(0).type)) {
    tiles[0] = rows_.tiles();
    operations = static_cast<double>(call.Output(0).elements);
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    switch (item_bytes_) {
      case 1:
        return RunAs<uint8_t>(context, begin, end);
      case 2:
        return RunAs<uint16_t>(context, begin, end);
      case 4:
        return RunAs<uint32_t>(context, begin, end);
      default:
        return RunAs<uint64_t>(context, begin, end);
    }
  }

 private:
  template <class T>
  void RunAs(const RunContext& context, size_t begin, size_t end) const {
    const uint8_t* c = static_cast<const uint8_t*>(context.inputs[0]);
    const T* a = static_cast<const T*>(context.inputs[1]);
    const T* b = static_cast<const T*>(context.inputs[2]);
    T* y = static_cast<T*>(context.outputs[0]);
    const size_t c_step = rows_.step(0), a_step = rows_.step(1), b_step = rows_.step(2);
    for (size_t tile = begin; tile < end; tile++) {
      rows_.ForEachRow(tile, [&](const size_t (&from)[3], size_t to, size_t n) {
        Choose(c + from[0], c_step, a + from[1], a_step, b + from[2], b_step, y + to, n);
      });
    }
  }

  template <class T>
  static void Choose(const uint8_t* c, size_t c_step, const T* a, size_t a_step, const T* b, size_t b_step, T* y,
                     size_t n) {
    if (c_step == 1 && a_step == 1 && b_step == 1) {
      for (size_t i = 0; i < n; i++) y[i] = c[i] ? a[i] : b[i];
    } else if (c_step == 1 && a_step == 0 && b_step == 1) {
      for (size_t i = 0; i < n; i++) y[i] = c[i] ? a[0] : b[i];
    } else if (c_step == 1 && a_step == 1 && b_step == 0) {
      for (size_t i = 0; i < n; i++) y[i] = c[i] ? a[i] : b[0];
    } else {
      for (size_t i = 0; i < n; i++) y[i] = c[i * c_step] ? a[i * a_step] : b[i * b_step];
    }
  }

  Broadcast<3> rows_;
  size_t item_bytes_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<SelectCall>("select", call);
}

}  // namespace

const KernelDef kernel_select = {"select", SelectParams::Fields, Validate, Prepare};

}  // namespace lowp
