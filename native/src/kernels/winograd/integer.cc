// Preparation and running of convolutions of bytes by Winograd.
#include "kernels/winograd/integer.h"

#include <cstring>

#include "kernels/winograd/integer_rows.h"
#include "kernels/winograd/products.h"

namespace lowp {
namespace {

constexpr uint32_t kLeastInputs = 24, kLeastOutputs = 8;  // below, the transformations cost what the products save
constexpr size_t kLeastTiles = 16;

bool Suits(const WinogradShape& s) {
  return s.IsPaddedByTwoAtMost() && s.in_c >= kLeastInputs && s.in_c <= kMostWinogradChannels &&
         s.out_c >= kLeastOutputs && s.tiles() >= kLeastTiles;
}

// The row of the instruction set in force, where that has no products of bytes that cannot saturate.
const WinogradByteRow* SelectRow(const PrepareContext& context) {
  const WinogradByteRow* row = nullptr;
#if defined(__x86_64__)
  if (context.isa == Isa::kAvx512) row = &winograd_u8s8_avx512_6x64;
  if (context.isa == Isa::kAvx2) row = &winograd_u8s8_avx2_6x16;
#endif
  const bool other = row && context.force_row && std::strcmp(row->name, context.force_row) != 0;
  return other ? nullptr : row;
}

class IntegerWinogradCall final : public PreparedCall {
 public:
  Status Prepare(const CallView& call, const PrepareContext& context, const ByteConvolution& problem) {
    const WinogradShape& p = problem.shape;
    const Status memory(Code::kMemory, "no memory for transformed weights");
    run_ = SelectRow(context);
    row = run_->name;
    shape_ = p;
    geometry_ = p.geometry();
    const WinogradTaps taps{call.Input(kWeights).constant, p.in_c, p.out_c};
    WinogradWeights weights = TransformIntegerWeights(taps, *run_->gemm);
    outside_ = AllocateAligned<uint8_t>(p.in_c);
    initial_ = AllocateAligned<int32_t>(p.out_c + kEpilogueSlack);
    if (!weights.u || !outside_ || !initial_) return memory;
    std::memset(outside_.get(), static_cast<int>(problem.in_zero_point), p.in_c);
    FillInitial(static_cast<const int8_t*>(taps.weights), problem);
    products_ = WinogradProducts(p.tiles(), (size_t{p.in_c} + 1) / 2, taps, *run_->gemm, std::move(weights), context);
    const double most = 255.0 * 128.0 * 9.0 * p.in_c;
    Result<EpilogueConstants> epilogue = EpilogueConstants::Make(call, problem.settings, p.out_c, most);
    if (!epilogue.ok()) return epilogue.status();
    epilogue_ = std::move(epilogue.value());
    SetAddresses(call, p);
    products_.Describe(this);
    packed_bytes += epilogue_.bytes();
    packed_inputs = kPackedOperands;
    operations = p.operations();
    return Status();
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    products_.Run(
        context, phase, begin, end,
        [&](size_t first, size_t count, uint8_t* v) { Transform(context, first, count, reinterpret_cast<int16_t*>(v)); },
        [&](const Panel& panel, size_t first, size_t count, const uint8_t* m) {
          Store(context, panel, first, count, reinterpret_cast<const int32_t*>(m));
        });
  }

  IndexRange Completes(size_t begin, size_t end) const override {
    return shape_.ElementsOf(products_.Completes(begin, end));
  }

 private:
  // What padding and x as unsigned bytes add to the sums over taps.
  void FillInitial(const int8_t* w, const ByteConvolution& problem) {
    const size_t depth = size_t{problem.shape.in_c} * 9;
    for (size_t n = 0; n < problem.shape.out_c; n++) {
      int32_t sum = 0;
      for (size_t i = 0; i < depth; i++) sum += w[n * depth + i];
      initial_[n] = -static_cast<int32_t>(problem.in_zero_point) * sum;
    }
  }

  void SetAddresses(const CallView& call, const WinogradShape& p) {
    const Operand residual = call.Input(kResidual);
    y_element_ = SizeOf(call.Output(0).type);
    y_offset_ = p.out_offset * y_element_;
    if (!residual.present) return;
    residual_element_ = SizeOf(residual.type);
    residual_stride_ = p.out_c * residual_element_;
    // A panel that ends within a vector would read what another thread writes beside it.
    const bool whole = p.out_c % run_->gemm->lanes == 0;
    if (residual_element_ == y_element_ && p.out_stride == p.out_c && whole) inplace_input = static_cast<int>(kResidual);
  }

  void Transform(const RunContext& context, size_t first, size_t count, int16_t* v) const {
    WinogradByteInput task;
    task.geometry = &geometry_;
    task.x = static_cast<const uint8_t*>(context.inputs[kX]);
    task.outside = outside_.get();
    task.first = first;
    task.count = count;
    task.v = v;
    task.pitch = 2 * products_.split().pitch;
    task.product_pitch = 2 * products_.split().product_pitch;
    run_->transform_input(task);
  }

  void Store(const RunContext& context, const Panel& panel, size_t first, size_t count, const int32_t* m) const {
    WinogradByteOutput task;
    task.geometry = &geometry_;
    task.epilogue = &epilogue_.view();
    task.first = first;
    task.count = count;
    task.m = m;
    task.product_pitch = products_.split().m_pitch;
    task.initial = initial_.get();
    task.vectors = panel.vectors;
    task.n = panel.n;
    task.columns = panel.columns;
    task.y = static_cast<uint8_t*>(context.outputs[0]) + y_offset_ + panel.n * y_element_;
    task.y_stride = geometry_.out_stride * y_element_;
    if (residual_element_ != 0) {
      task.residual = static_cast<const uint8_t*>(context.inputs[kResidual]) + panel.n * residual_element_;
      task.residual_stride = residual_stride_;
    }
    run_->transform_output(task);
  }

  WinogradShape shape_ = {};
  WinogradGeometry geometry_ = {};
  const WinogradByteRow* run_ = nullptr;
  WinogradProducts products_;
  EpilogueConstants epilogue_;
  AlignedPtr<uint8_t> outside_;
  AlignedPtr<int32_t> initial_;
  size_t y_element_ = 1, y_offset_ = 0;                 // bytes
  size_t residual_element_ = 0, residual_stride_ = 0;   // bytes
};

}  // namespace

Result<PreparedPtr> PrepareIntegerWinograd(const CallView& call, const PrepareContext& context,
                                           const ByteConvolution& problem) {
  if (!Suits(problem.shape) || !SelectRow(context)) return PreparedPtr();
  auto prepared = std::make_unique<IntegerWinogradCall>();
  LOWP_RETURN_IF_ERROR(prepared->Prepare(call, context, problem));
  return PreparedPtr(std::move(prepared));
}

}  // namespace lowp
