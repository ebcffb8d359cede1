// Operand checks of the shared epilogue, and its padded constant arrays.
#include "kernels/common/epilogue_operands.h"

#include <cmath>
#include <cstring>
#include <string>

namespace lowp {
namespace {

Status ValidateTypes(const CallView& call) {
  const Operand x = call.Input(kX), w = call.Input(kWeights), y = call.Output(0);
  LOWP_REQUIRE(x.present && w.present && y.present, "x, weights and the output must be present");
  const bool f32 = x.type == ElementType::kF32 && w.type == ElementType::kF32 && y.type == ElementType::kF32;
  const bool int8 = x.type == ElementType::kU8 && w.type == ElementType::kI8 &&
                    (y.type == ElementType::kU8 || y.type == ElementType::kF32);
  if (!f32 && !int8) {
    return Unsupported("element types of x, weights and output must be f32, f32, f32 or u8, i8, u8 or u8, i8, f32");
  }
  LOWP_REQUIRE(w.constant != nullptr, "weights must be a constant");
  return Status();
}

Status ValidateChannelConstant(const Operand& operand, ElementType type, uint64_t count, const char* name) {
  LOWP_REQUIRE(operand.Is(type, count),
               std::string(name) + " must have " + std::to_string(count) + " elements of its type, found " +
                   std::to_string(operand.elements));
  LOWP_REQUIRE(operand.constant != nullptr, std::string(name) + " must be a constant");
  return Status();
}

// Copies `count` elements into a new array with kEpilogueSlack more, which stay 0.
template <class T>
AlignedPtr<T> Padded(const void* source, size_t count) {
  AlignedPtr<T> copy = AllocateAligned<T>(count + kEpilogueSlack);
  if (copy) std::memcpy(copy.get(), source, count * sizeof(T));
  return copy;
}

// True when |v| before the conversion to u8 may reach 2^31 or cannot be bounded.
bool MayOverflow(const Epilogue& e, size_t channels, double accumulator_limit) {
  if (e.residual == ResidualKind::kF32) return true;
  double limit = 0;
  if (e.mid) {
    const double clamped = std::fmax(std::fabs(e.mid_low), std::fabs(e.mid_high));
    limit = std::isnan(e.mid_low) || std::isnan(e.mid_high) ? HUGE_VAL
                                                            : clamped * std::fabs(e.mid_scale) + std::fabs(e.mid_bias);
  } else {
    for (size_t n = 0; n < channels; n++) {
      const double v = accumulator_limit * std::fabs(e.scale[n]) + std::fabs(e.bias[n]);
      if (!(v <= limit)) limit = v;
      if (std::isnan(v)) return true;
    }
  }
  if (e.residual == ResidualKind::kU8) limit += 255.0 * std::fabs(e.residual_scale);
  constexpr double kSafe = 2000000000.0;  // below 2^31, with room for the roundings
  return !(limit < kSafe);
}

}  // namespace

Status ValidateElements(const char* name, const Operand& operand, uint64_t count) {
  LOWP_REQUIRE(operand.elements == count, std::string(name) + " must have " + std::to_string(count) +
                                              " elements, found " + std::to_string(operand.elements));
  return Status();
}

Status ValidateEpilogue(const CallView& call, const OutputLayout& layout) {
  LOWP_RETURN_IF_ERROR(ValidateTypes(call));
  LOWP_REQUIRE(layout.pixels > 0 && layout.channels > 0, "the output must have pixels and channels");
  LOWP_REQUIRE(layout.offset <= layout.stride && layout.channels <= layout.stride - layout.offset,
               "out_offset and the channels must fit out_stride");
  uint64_t dense = 0, strided = 0;
  LOWP_REQUIRE(CheckedProduct(&dense, layout.pixels, layout.channels) &&
                   CheckedProduct(&strided, layout.pixels, layout.stride, sizeof(float)),
               "the output is too large");
  strided /= sizeof(float);
  const Operand y = call.Output(0);
  LOWP_RETURN_IF_ERROR(ValidateElements("the output", y, strided));
  const Operand bias = call.Input(kBias), scale = call.Input(kScale), residual = call.Input(kResidual),
                bounds = call.Input(kBounds);
  if (bias.present) LOWP_RETURN_IF_ERROR(ValidateChannelConstant(bias, ElementType::kF32, layout.channels, "bias"));
  if (call.Input(kWeights).type == ElementType::kI8) {
    LOWP_RETURN_IF_ERROR(ValidateChannelConstant(scale, ElementType::kF32, layout.channels, "scale"));
  } else {
    LOWP_REQUIRE(!scale.present, "scale belongs to i8 weights");
  }
  if (residual.present) {
    LOWP_REQUIRE(residual.type == ElementType::kU8 || residual.type == ElementType::kF32, "residual must be u8 or f32");
    LOWP_RETURN_IF_ERROR(ValidateElements("residual", residual, dense));
  }
  if (bounds.present) {
    LOWP_REQUIRE(y.type == ElementType::kU8, "bounds belong to a u8 output");
    LOWP_RETURN_IF_ERROR(ValidateChannelConstant(bounds, ElementType::kU8, 2 * layout.channels, "bounds"));
  }
  return Status();
}

Result<EpilogueConstants> EpilogueConstants::Make(const CallView& call, const EpilogueSettings& settings,
                                                  size_t channels, double accumulator_limit) {
  EpilogueConstants c;
  Epilogue& e = c.view_;
  e.mid = settings.mid == 1;
  e.mid_scale = settings.mid_scale;
  e.mid_bias = settings.mid_bias;
  e.mid_low = settings.mid_low;
  e.mid_high = settings.mid_high;
  e.residual_scale = settings.residual_scale;
  e.low = settings.low;
  e.high = settings.high;
  e.u8_output = call.Output(0).type == ElementType::kU8;
  const Operand bias = call.Input(kBias), scale = call.Input(kScale), residual = call.Input(kResidual),
                bounds = call.Input(kBounds);
  if (residual.present) e.residual = residual.type == ElementType::kU8 ? ResidualKind::kU8 : ResidualKind::kF32;
  const Status memory(Code::kMemory, "no memory for the constants of an epilogue");
  const bool s32 = call.Input(kWeights).type == ElementType::kI8;
  if (bias.present) {
    c.bias_ = Padded<float>(bias.constant, channels);
    if (!c.bias_) return memory;
  } else {
    c.bias_ = AllocateAligned<float>(channels + kEpilogueSlack);
    if (!c.bias_) return memory;
    const float absent = s32 ? 0.0f : -0.0f;  // acc + -0 is acc, also for acc = -0
    for (size_t n = 0; n < channels + kEpilogueSlack; n++) c.bias_[n] = absent;
  }
  e.bias = c.bias_.get();
  c.bytes_ = (channels + kEpilogueSlack) * sizeof(float);
  if (s32) {
    c.scale_ = Padded<float>(scale.constant, channels);
    if (!c.scale_) return memory;
    e.scale = c.scale_.get();
    c.bytes_ += (channels + kEpilogueSlack) * sizeof(float);
  }
  if (bounds.present) {
    const uint8_t* values = static_cast<const uint8_t*>(bounds.constant);
    c.bound_low_ = Padded<uint8_t>(values, channels);
    c.bound_high_ = Padded<uint8_t>(values + channels, channels);
    if (!c.bound_low_ || !c.bound_high_) return memory;
    e.bound_low = c.bound_low_.get();
    e.bound_high = c.bound_high_.get();
    c.bytes_ += 2 * (channels + kEpilogueSlack);
  }
  e.limit = e.u8_output && MayOverflow(e, channels, accumulator_limit);
  return Result<EpilogueConstants>(std::move(c));
}

}  // namespace lowp
