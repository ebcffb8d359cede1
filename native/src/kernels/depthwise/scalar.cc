// Depthwise convolution in plain C++, one output after the other: the specification of the room.
#include "kernels/common/epilogue_scalar.h"
#include "kernels/common/exact_fma.h"
#include "kernels/depthwise/row.h"

namespace lowp {
namespace {

struct ScalarFloat {
  using Element = float;
  using Sum = float;
  static float Add(const DepthwiseTask&, float sum, float x, float w, size_t) { return ExactFma(x, w, sum); }
  static float Weight(const uint8_t* weights, size_t at) { return reinterpret_cast<const float*>(weights)[at]; }
};

struct ScalarInteger {
  using Element = uint8_t;
  using Sum = int32_t;
  static int32_t Add(const DepthwiseTask& task, int32_t sum, uint8_t x, int8_t w, size_t c) {
    return sum + (x - task.zero_points[c]) * w;
  }
  static int8_t Weight(const uint8_t* weights, size_t at) { return static_cast<int8_t>(weights[at]); }
};

// Row blocks are one channel wide, so a channel's taps lie together.
template <class S>
typename S::Sum SumTaps(const DepthwiseTask& task, size_t ox, size_t c) {
  const DepthwiseGeometry& g = *task.geometry;
  const typename S::Element* x = reinterpret_cast<const typename S::Element*>(task.x);
  typename S::Sum sum = 0;
  for (size_t ky = 0; ky < g.kernel_h; ky++) {
    const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;  // wraps when above the input
    if (iy >= g.in_h) continue;
    for (size_t kx = 0; kx < g.kernel_w; kx++) {
      const size_t ix = ox * g.stride_w + kx * g.dilation_w - g.pad_left;
      if (ix >= g.in_w) continue;
      const auto weight = S::Weight(task.weights, c * g.taps() + ky * g.kernel_w + kx);
      sum = S::Add(task, sum, x[(iy * g.in_w + ix) * g.in_stride + c], weight, c);
    }
  }
  return sum;
}

template <class S>
void Run(const DepthwiseTask& task) {
  const DepthwiseGeometry& g = *task.geometry;
  const Epilogue& e = *task.epilogue;
  const size_t y_size = e.u8_output ? 1 : sizeof(float);
  const size_t residual_size = e.residual == ResidualKind::kU8 ? 1 : sizeof(float);
  for (size_t ox = 0; ox < g.out_w; ox++) {
    const uint8_t* residual = task.residual ? task.residual + ox * g.channels * residual_size : nullptr;
    uint8_t* y = task.y + ox * g.out_stride * y_size;
    for (size_t c = task.begin; c < task.end; c++)
      FinishElement(e, ScaleAccumulator(e, SumTaps<S>(task, ox, c), c), c, residual, y);
  }
}

}  // namespace

extern const DepthwiseRow depthwise_f32_scalar_1x1 = {
    "depthwise_f32_scalar_1x1", Isa::kScalar, DepthwisePacking::kPlainFloat, TapGroups::kSequence, 1, 1, 0,
    Run<ScalarFloat>};
extern const DepthwiseRow depthwise_u8s8_scalar_1x1 = {
    "depthwise_u8s8_scalar_1x1", Isa::kScalar, DepthwisePacking::kPlainInteger, TapGroups::kSequence, 1, 1, 0,
    Run<ScalarInteger>};

}  // namespace lowp
