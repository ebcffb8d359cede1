// Validation, preparation and running of the Winograd convolution.
#include "kernels/winograd_convolution/winograd_convolution.h"

#include <string>

#include "kernels/common/epilogue_operands.h"
#include "kernels/gemm/rows.h"
#include "kernels/prepare_call.h"
#include "kernels/row.h"
#include "kernels/winograd/products.h"
#include "kernels/winograd/rows.h"
#include "kernels/winograd/shape.h"

namespace lowp {
namespace {

constexpr uint32_t kMostChannels = 4096;  // of x, so that a block of tiles stays small

constexpr Row<WinogradRows> kRowTable[] = {
#if defined(__x86_64__)
    LOWP_ROW(winograd_f32_avx512_16, kAvx512),
    LOWP_ROW(winograd_f32_avx2_8, kAvx2),
#endif
    LOWP_ROW(winograd_f32_scalar, kScalar),
};

Status Validate(const CallView& call) {
  const WinogradConvolutionParams& p = call.Params<WinogradConvolutionParams>();
  for (uint32_t size : {p.batch, p.in_h, p.in_w, p.in_c, p.out_h, p.out_w, p.out_c})
    LOWP_REQUIRE(size > 0, "sizes must be positive");
  LOWP_REQUIRE(p.in_stride >= p.in_c, "in_stride must not be less than in_c");
  LOWP_REQUIRE(p.mid <= 1, "mid must be 0 or 1");
  LOWP_REQUIRE(WinogradShape::Of(p).IsPaddedByTwoAtMost(), "padding must not exceed 2 on any side");
  LOWP_REQUIRE(p.in_c <= kMostChannels, "in_c must not exceed " + std::to_string(kMostChannels));
  uint64_t pixels = 0, x = 0, weights = 0, transformed = 0;
  LOWP_REQUIRE(CheckedProduct(&pixels, p.batch, p.out_h, p.out_w) &&
                   CheckedProduct(&x, p.batch, p.in_h, p.in_w, p.in_stride, sizeof(float)) &&
                   CheckedProduct(&weights, p.out_c, p.in_c, 9) &&
                   CheckedProduct(&transformed, p.out_c, p.in_c, kWinogradProducts, sizeof(float)) &&
                   CheckedProduct(&transformed, pixels, p.in_c, kWinogradProducts, sizeof(float)),
               "the sizes are too large");
  LOWP_RETURN_IF_ERROR(ValidateElements("x", call.Input(kX), x / sizeof(float)));
  LOWP_RETURN_IF_ERROR(ValidateElements("weights", call.Input(kWeights), weights));
  LOWP_RETURN_IF_ERROR(ValidateEpilogue(call, {pixels, p.out_c, p.out_stride, p.out_offset}));
  if (call.Input(kX).type != ElementType::kF32) return Unsupported("x must be f32");
  const Operand residual = call.Input(kResidual);
  if (residual.present && residual.type != ElementType::kF32) return Unsupported("residual must be f32");
  return Status();
}

class WinogradCall final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context) {
    const WinogradConvolutionParams& p = call.Params<WinogradConvolutionParams>();
    const Status memory(Code::kMemory, "no memory for transformed weights");
    shape_ = WinogradShape::Of(p);
    geometry_ = shape_.geometry();
    const Row<WinogradRows>& chosen = SelectRow(kRowTable, context);
    run_ = chosen.run;
    row = chosen.name;
    RowQuery query;
    query.isa = context.isa;
    const GemmRow& gemm = *SelectRow(query);
    const WinogradTaps taps{call.Input(kWeights).constant, p.in_c, p.out_c};
    WinogradWeights weights = TransformFloatWeights(taps, gemm);
    zeros_ = AllocateAligned<float>(p.in_c);
    if (!weights.u || !zeros_) return memory;
    products_ = WinogradProducts(shape_.tiles(), p.in_c, taps, gemm, std::move(weights), context);
    Result<EpilogueConstants> epilogue = EpilogueConstants::Make(call, EpilogueSettings::Of(p), p.out_c, 0);
    if (!epilogue.ok()) return epilogue.status();
    epilogue_ = std::move(epilogue.value());
    out_offset_ = p.out_offset;
    residual_stride_ = p.out_c;
    has_residual_ = call.Input(kResidual).present;
    products_.Describe(this);
    packed_bytes += epilogue_.bytes();
    packed_inputs = kPackedOperands;
    operations = shape_.operations();
    inplace_input = p.out_stride == p.out_c ? static_cast<int>(kResidual) : -1;
    return Status();
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    products_.Run(
        context, phase, begin, end,
        [&](size_t first, size_t count, uint8_t* v) { Transform(context, first, count, reinterpret_cast<float*>(v)); },
        [&](const Panel& panel, size_t first, size_t count, const uint8_t* m) {
          Store(context, panel, first, count, reinterpret_cast<const float*>(m));
        });
  }

  IndexRange Completes(size_t begin, size_t end) const override {
    return shape_.ElementsOf(products_.Completes(begin, end));
  }

 private:
  void Transform(const RunContext& context, size_t first, size_t count, float* v) const {
    WinogradInput task;
    task.geometry = &geometry_;
    task.x = static_cast<const float*>(context.inputs[kX]);
    task.zeros = zeros_.get();
    task.first = first;
    task.count = count;
    task.v = v;
    task.pitch = products_.split().pitch;
    task.product_pitch = products_.split().product_pitch;
    run_->transform_input(task);
  }

  void Store(const RunContext& context, const Panel& panel, size_t first, size_t count, const float* m) const {
    WinogradOutput task;
    task.geometry = &geometry_;
    task.epilogue = &epilogue_.view();
    task.first = first;
    task.count = count;
    task.m = m;
    task.pitch = products_.WidthOf(panel);
    task.product_pitch = products_.split().m_pitch;
    task.n = panel.n;
    task.columns = panel.columns;
    task.y = static_cast<float*>(context.outputs[0]) + out_offset_;
    task.residual = has_residual_ ? static_cast<const float*>(context.inputs[kResidual]) : nullptr;
    task.residual_stride = residual_stride_;
    run_->transform_output(task);
  }

  WinogradShape shape_ = {};
  WinogradGeometry geometry_ = {};
  const WinogradRows* run_ = nullptr;
  WinogradProducts products_;
  EpilogueConstants epilogue_;
  AlignedPtr<float> zeros_;
  size_t out_offset_ = 0, residual_stride_ = 0;
  bool has_residual_ = false;
};

}  // namespace

const KernelDef kernel_winograd_convolution = {"winograd_convolution", WinogradConvolutionParams::Fields, Validate, PrepareCall<WinogradCall>};

}  // namespace lowp
