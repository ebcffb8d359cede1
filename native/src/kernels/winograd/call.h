// A prepared Winograd convolution of elements X, whose windows are transformed to V and whose products are M: f32, or u8
// to s16 and s32.
#pragma once
#include <utility>

#include "kernels/common/epilogue_operands.h"
#include "kernels/kernel.h"
#include "kernels/winograd/products.h"
#include "kernels/winograd/shape.h"

namespace lowp {

// What differs between the kinds.
template <class X, class V, class M>
struct WinogradParts {
  void (*transform_input)(const WinogradInput<X, V>& task) = nullptr;
  void (*transform_output)(const WinogradOutput<M>& task) = nullptr;
  const GemmRow* gemm = nullptr;
  WinogradWeights weights;
  AlignedPtr<X> outside;             // a pixel outside of x
  AlignedPtr<M> initial;             // of integers, by output channel
  double accumulator_limit = 0;      // EpilogueConstants::Make
  bool reads_whole_vectors = false;  // of the residual, beyond the last channel of a panel
};

template <class X, class V, class M>
class WinogradCall : public PreparedCall {
 public:
  // kMemory when memory is, or was for the parts, exhausted.
  Status Prepare(const CallView& call, const PrepareContext& context, const WinogradShape& shape,
                 const EpilogueSettings& settings, WinogradParts<X, V, M> parts) {
    if (!parts.weights.u || !parts.outside) return Status(Code::kMemory, "no memory for transformed weights");
    Result<EpilogueConstants> epilogue = EpilogueConstants::Make(call, settings, shape.out_c, parts.accumulator_limit);
    if (!epilogue.ok()) return epilogue.status();
    epilogue_ = std::move(epilogue.value());
    shape_ = shape;
    geometry_ = shape.geometry();
    const size_t steps = (shape.in_c * sizeof(V) + 3) / 4;
    products_ = WinogradProducts(shape.tiles(), steps, shape.out_c, *parts.gemm, std::move(parts.weights), context);
    parts_ = std::move(parts);
    y_element_ = SizeOf(call.Output(0).type);
    const Operand residual = call.Input(kResidual);
    if (residual.present) residual_element_ = SizeOf(residual.type);
    // A panel that ends within a vector would read what another thread writes beside it.
    const bool apart = !parts_.reads_whole_vectors || shape.out_c % parts_.gemm->lanes == 0;
    if (residual_element_ == y_element_ && shape.out_stride == shape.out_c && apart)
      inplace_input = static_cast<int>(kResidual);
    products_.Describe(this);
    packed_bytes += epilogue_.bytes();
    packed_inputs = kPackedOperands;
    operations = shape.operations();
    return Status();
  }

  void Run(const RunContext& context, size_t phase, size_t begin, size_t end) const override {
    products_.Run(
        context, phase, begin, end,
        [&](size_t first, size_t count, uint8_t* v) { Transform(context, first, count, reinterpret_cast<V*>(v)); },
        [&](const Panel& panel, size_t first, size_t count, const uint8_t* m) {
          Store(context, panel, first, count, reinterpret_cast<const M*>(m));
        });
  }

  IndexRange Completes(size_t begin, size_t end) const override {
    return shape_.ElementsOf(products_.Completes(begin, end));
  }

 private:
  void Transform(const RunContext& context, size_t first, size_t count, V* v) const {
    constexpr size_t kPerStep = 4 / sizeof(V);
    WinogradInput<X, V> task;
    task.geometry = &geometry_;
    task.x = static_cast<const X*>(context.inputs[kX]);
    task.outside = parts_.outside.get();
    task.first = first;
    task.count = count;
    task.v = v;
    task.pitch = kPerStep * products_.split().pitch;
    task.product_pitch = kPerStep * products_.split().product_pitch;
    parts_.transform_input(task);
  }

  void Store(const RunContext& context, const Panel& panel, size_t first, size_t count, const M* m) const {
    WinogradOutput<M> task;
    task.geometry = &geometry_;
    task.epilogue = &epilogue_.view();
    task.first = first;
    task.count = count;
    task.m = m;
    task.pitch = products_.WidthOf(panel);
    task.product_pitch = products_.split().m_pitch;
    task.initial = parts_.initial.get();
    task.n = panel.n;
    task.columns = panel.columns;
    task.y = static_cast<uint8_t*>(context.outputs[0]) + (shape_.out_offset + panel.n) * y_element_;
    task.y_stride = shape_.out_stride * y_element_;
    if (residual_element_ != 0) {
      task.residual = static_cast<const uint8_t*>(context.inputs[kResidual]) + panel.n * residual_element_;
      task.residual_stride = shape_.out_c * residual_element_;
    }
    parts_.transform_output(task);
  }

  WinogradShape shape_ = {};
  WinogradGeometry geometry_ = {};
  WinogradParts<X, V, M> parts_;
  WinogradProducts products_;
  EpilogueConstants epilogue_;
  size_t y_element_ = 1, residual_element_ = 0;  // bytes; 0: there is no residual
};

}  // namespace lowp
