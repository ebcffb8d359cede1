// Checks the operands and parameters that convolution, depthwise and matmul share, and prepares their Epilogue.
#pragma once
#include "base/aligned.h"
#include "kernels/common/epilogue.h"
#include "kernels/kernel.h"

namespace lowp {

// Operand indices of the three kernels. Zero points are for depthwise only.
enum ComputeOperand : size_t {
  kX = 0,
  kWeights = 1,
  kBias = 2,
  kScale = 3,
  kResidual = 4,
  kBounds = 5,
  kZeroPoints = 6
};

// PreparedCall::packed_inputs of the three kernels: what prepare() packs or copies, so that run() never reads it.
constexpr uint64_t kPackedOperands = 1u << kWeights | 1u << kBias | 1u << kScale | 1u << kBounds | 1u << kZeroPoints;

// The epilogue's fields of a kernel's params.
struct EpilogueSettings {
  uint32_t mid = 0;
  float mid_scale = 1, mid_bias = 0, mid_low = 0, mid_high = 0, residual_scale = 1, low = 0, high = 0;

  template <class Params>
  static EpilogueSettings Of(const Params& p) {
    return {p.mid, p.mid_scale, p.mid_bias, p.mid_low, p.mid_high, p.residual_scale, p.low, p.high};
  }
};

// Pixel p's channels are at [p * stride + offset, ... + channels) of the output.
struct OutputLayout {
  uint64_t pixels = 0;
  uint64_t channels = 0;
  uint64_t stride = 0;
  uint64_t offset = 0;
};

// Invalid when the operand has another count; `name` is how the message calls it.
Status ValidateElements(const char* name, const Operand& operand, uint64_t count);

// Types of x, weights and y; element counts of y, bias, scale, residual and bounds; constants where constants are due.
// Does not look at the element counts of x and weights. Unsupported for other combinations of types.
Status ValidateEpilogue(const CallView& call, const OutputLayout& layout);

// The Epilogue of a validated call with the arrays that it borrows.
class EpilogueConstants {
 public:
  // `accumulator_limit` bounds |acc| of s32 accumulators. kMemory when memory is exhausted.
  static Result<EpilogueConstants> Make(const CallView& call, const EpilogueSettings& settings, size_t channels,
                                        double accumulator_limit);

  const Epilogue& view() const { return view_; }
  size_t bytes() const { return bytes_; }

 private:
  Epilogue view_;
  AlignedPtr<float> scale_, bias_;
  AlignedPtr<uint8_t> bound_low_, bound_high_;
  size_t bytes_ = 0;
};

}  // namespace lowp
