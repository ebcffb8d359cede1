// Checks, preparation and tiling of `unary`.
#include "kernels/unary/unary.h"

#include <algorithm>
#include <cmath>

#include "kernels/channel_constants.h"
#include "kernels/common/quantize_rows.h"
#include "kernels/flat_tiles.h"
#include "kernels/row.h"
#include "kernels/unary/rows.h"

namespace lowp {
namespace {

constexpr Row<UnaryRows> kRows[] = {
#if defined(__x86_64__)
    LOWP_ROW(unary_f32_avx512_16, kAvx512),
    LOWP_ROW(unary_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(unary_f32_scalar, kScalar),
};

// Of the same instruction sets.
constexpr Row<QuantizeRows> kStores[] = {
#if defined(__x86_64__)
    LOWP_ROW(quantize_f32u8_avx512_64, kAvx512),
    LOWP_ROW(quantize_f32u8_avx2_32, kAvx2),
#endif
    LOWP_ROW(quantize_f32u8_scalar, kScalar),
};

// The functions behind those of the rows.
using DoubleFunction = double (*)(double);
constexpr DoubleFunction kDoubles[kUnaryOps - kVectorUnaryOps] = {std::tan,  std::asin,  std::acos,  std::atan, std::sinh,
                                                                  std::cosh, std::asinh, std::acosh, std::atanh};
constexpr uint32_t kSin = 25, kCos = 26;

// Beyond it the rows do not know how many turns an angle has.
constexpr float kLargestAngle = 131072.0f;

// Floats that are computed before they are scaled or rounded: they stay in L1.
constexpr size_t kStaged = 1024;

Status Validate(const CallView& call) {
  const auto& p = call.Params<UnaryParams>();
  LOWP_REQUIRE(p.op < kUnaryOps, "unary: unknown op");
  LOWP_REQUIRE(call.Input(0).Is(ElementType::kF32, p.elements), "unary: x must be f32[elements]");
  LOWP_REQUIRE(call.Output(0).Is(ElementType::kF32, p.elements) || call.Output(0).Is(ElementType::kU8, p.elements),
               "unary: y must be f32[elements] or u8[elements]");
  LOWP_REQUIRE(p.byte_low <= 255 && p.byte_high <= 255, "unary: byte limits must be 0 to 255");
  return Status();
}

class UnaryCall final : public PreparedCall {
 public:
  UnaryCall(const CallView& call, const PrepareContext& context) : params_(call.Params<UnaryParams>()) {
    const UnaryParams& params = params_;
    const Row<UnaryRows>& chosen = SelectRow(kRows, context);
    if (params.op < kVectorUnaryOps) {
      function_ = chosen.run->op[params.op];
      row = chosen.name;
    } else {
      double_ = kDoubles[params.op - kVectorUnaryOps];
    }
    if (params.op == kSin) double_ = std::sin;
    if (params.op == kCos) double_ = std::cos;
    tiles[0] = FlatTileCount(params.elements);
    operations = static_cast<double>(params.elements);
    if (call.Output(0).type == ElementType::kF32) {
      inplace_input = 0;
      if (params.inv_scale != 1 || params.shift != 0) affine_ = chosen.run->affine;
      return;
    }
    store_ = SelectRow(kStores, context).run;
    scratch_bytes = kStaged * sizeof(float);
    std::fill_n(scales_, kChannelWrap + 1, params.inv_scale);
    std::fill_n(shifts_, kChannelWrap + 1, params.shift);
    std::fill_n(lows_, kChannelWrap + 1, static_cast<uint8_t>(params.byte_low));
    std::fill_n(highs_, kChannelWrap + 1, static_cast<uint8_t>(params.byte_high));
  }

  void Run(const RunContext& context, size_t, size_t begin, size_t end) const override {
    const FlatRange r = FlatTiles(params_.elements, begin, end);
    if (store_) return StoreBytes(context, r);
    const float* x = static_cast<const float*>(context.inputs[0]) + r.first;
    float* y = static_cast<float*>(context.outputs[0]) + r.first;
    if (!affine_) return Apply(x, y, r.count);
    for (size_t i = 0; i < r.count; i += kStaged) {
      const size_t count = std::min(kStaged, r.count - i);
      Apply(x + i, y + i, count);
      affine_(y + i, y + i, count, params_.inv_scale, params_.shift);
    }
  }

 private:
  void Apply(const float* x, float* y, size_t n) const {
    if (!function_) {
      for (size_t i = 0; i < n; i++) y[i] = static_cast<float>(double_(x[i]));
    } else if (!double_) {
      function_(x, y, n, params_.alpha, params_.beta);
    } else {
      Turn(x, y, n);
    }
  }

  // y may be x.
  void Turn(const float* x, float* y, size_t n) const {
    constexpr size_t kBlock = 256;
    float kept[kBlock];
    for (size_t i = 0; i < n; i += kBlock) {
      const size_t count = std::min(kBlock, n - i);
      std::copy_n(x + i, count, kept);
      function_(kept, y + i, count, params_.alpha, params_.beta);
      for (size_t k = 0; k < count; k++)
        if (!(std::fabs(kept[k]) <= kLargestAngle)) y[i + k] = static_cast<float>(double_(kept[k]));
    }
  }

  void StoreBytes(const RunContext& context, const FlatRange& r) const {
    const float* x = static_cast<const float*>(context.inputs[0]) + r.first;
    uint8_t* y = static_cast<uint8_t*>(context.outputs[0]) + r.first;
    float* staged = reinterpret_cast<float*>(context.scratch);
    const QuantizeConstants constants = {scales_, shifts_, lows_, highs_, 1, 1, 0, true};
    for (size_t i = 0; i < r.count; i += kStaged) {
      const size_t count = std::min(kStaged, r.count - i);
      Apply(x + i, staged, count);
      store_->dense(staged, y + i, count, 0, constants);
    }
  }

  UnaryParams params_;
  const QuantizeRows* store_ = nullptr;  // null: y is f32
  float scales_[kChannelWrap + 1], shifts_[kChannelWrap + 1];
  uint8_t lows_[kChannelWrap + 1], highs_[kChannelWrap + 1];
  UnaryFunction function_ = nullptr;  // null: double_ alone
  DoubleFunction double_ = nullptr;
  UnaryFunction affine_ = nullptr;  // null: r is stored as it is, or as bytes
};

Result<PreparedPtr> Prepare(const CallView& call, const PrepareContext& context) {
  return PreparedPtr(std::make_unique<UnaryCall>(call, context));
}

}  // namespace

const KernelDef kernel_unary = {"unary", UnaryParams::Fields, Validate, Prepare};

}  // namespace lowp
