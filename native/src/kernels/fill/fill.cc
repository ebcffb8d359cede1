// Writes one value to every element.
//
//   y[i] = value                            f32
//   y[i] = saturate(round_even(value))      u8, i8 and boolean; NaN gives 0
//   y[i] = value                            i32 and i64, of a whole number below 2^31
//
// Output 0: `elements` elements. No inputs. Tiles are runs of 65536 elements.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/rounding.h"
#include "kernels/kernel.h"
#include "kernels/prepare_call.h"

namespace lowp {
namespace {

#define FILL_PARAMS(F) F(u32, elements) F(f32, value)
LOWP_PARAMS(FillParams, FILL_PARAMS)

constexpr size_t kTileElements = 1 << 16;

Status Validate(const CallView& call) {
  const FillParams& p = call.Params<FillParams>();
  const Operand y = call.Output(0);
  LOWP_REQUIRE(call.inputs.empty() && call.outputs.size() == 1, "fill: expected no inputs and one output");
  LOWP_REQUIRE(y.present && y.elements == p.elements,
               "fill: the output has " + std::to_string(y.elements) + " elements, expected " + std::to_string(p.elements));
  const bool is_whole = y.type == ElementType::kI32 || y.type == ElementType::kI64;
  LOWP_REQUIRE(is_whole || y.type == ElementType::kF32 || SizeOf(y.type) == 1,
               "fill: the output must be f32, i32, i64, u8, i8 or boolean");
  LOWP_REQUIRE(!is_whole || (std::abs(p.value) < 0x1p31f && std::trunc(p.value) == p.value),
               "fill: the value must be a whole number below 2^31");
  return Status();
}

int RoundToByte(float value, ElementType type) {
  if (type != ElementType::kI8) return RoundToU8(value);
  if (std::isnan(value)) return 0;
  return static_cast<int>(std::nearbyintf(std::clamp(value, -128.0f, 127.0f)));
}

class PreparedFill final : public PreparedCall {
 public:
  PreparedFill(const FillParams& params, ElementType type)
      : params_(params), type_(type), byte_(SizeOf(type) == 1 ? RoundToByte(params.value, type) : 0) {
    tiles[0] = (static_cast<size_t>(params.elements) + kTileElements - 1) / kTileElements;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const size_t first = begin * kTileElements;
    const size_t last = std::min<size_t>(params_.elements, end * kTileElements);
    if (type_ == ElementType::kF32) {
      Fill<float>(context, first, last);
    } else if (type_ == ElementType::kI32) {
      Fill<int32_t>(context, first, last);
    } else if (type_ == ElementType::kI64) {
      Fill<int64_t>(context, first, last);
    } else {
      std::memset(static_cast<uint8_t*>(context.outputs[0]) + first, byte_, last - first);
    }
  }

 private:
  template <class T>
  void Fill(const RunContext& context, size_t first, size_t last) const {
    T* y = static_cast<T*>(context.outputs[0]);
    std::fill(y + first, y + last, static_cast<T>(params_.value));
  }

  FillParams params_;
  ElementType type_;
  int byte_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  return MakeCall<PreparedFill>("fill", call.Params<FillParams>(), call.Output(0).type);
}

}  // namespace

extern const KernelDef kernel_fill;
const KernelDef kernel_fill = {"fill", FillParams::Fields, Validate, Prepare};

}  // namespace lowp
