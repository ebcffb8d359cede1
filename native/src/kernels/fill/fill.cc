// Writes one value to every element.
//
//   y[i] = value                            f32
//   y[i] = saturate(round_even(value))      u8 and i8; NaN gives 0
//
// Output 0: `elements` elements. No inputs. Tiles are runs of 65536 elements.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "base/rounding.h"
#include "kernels/kernel.h"

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
  LOWP_REQUIRE(y.type == ElementType::kF32 || y.type == ElementType::kU8 || y.type == ElementType::kI8,
               "fill: the output must be f32, u8 or i8");
  return Status();
}

int RoundToByte(float value, ElementType type) {
  if (type == ElementType::kU8) return RoundToU8(value);
  if (std::isnan(value)) return 0;
  return static_cast<int>(std::nearbyintf(std::clamp(value, -128.0f, 127.0f)));
}

class PreparedFill final : public PreparedCall {
 public:
  PreparedFill(const FillParams& params, ElementType type)
      : params_(params), is_float_(type == ElementType::kF32), byte_(is_float_ ? 0 : RoundToByte(params.value, type)) {
    tiles[0] = (static_cast<size_t>(params.elements) + kTileElements - 1) / kTileElements;
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const size_t first = begin * kTileElements;
    const size_t last = std::min<size_t>(params_.elements, end * kTileElements);
    if (is_float_) {
      float* y = static_cast<float*>(context.outputs[0]);
      std::fill(y + first, y + last, params_.value);
    } else {
      std::memset(static_cast<uint8_t*>(context.outputs[0]) + first, byte_, last - first);
    }
  }

 private:
  FillParams params_;
  bool is_float_;
  int byte_;
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext&) {
  PreparedPtr prepared(new (std::nothrow) PreparedFill(call.Params<FillParams>(), call.Output(0).type));
  if (!prepared) return Status(Code::kMemory, "fill: out of memory");
  return prepared;
}

}  // namespace

extern const KernelDef kernel_fill;
const KernelDef kernel_fill = {"fill", FillParams::Fields, Validate, Prepare};

}  // namespace lowp
