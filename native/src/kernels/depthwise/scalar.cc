// Depthwise convolution in plain C++, 16 channels at a time: the specification of the room.
#include "kernels/common/epilogue_scalar.h"
#include "kernels/common/exact_fma.h"
#include "kernels/depthwise/row.h"

namespace lowp {
namespace {

// Channels that a row keeps at once, and its block. Loads go up to kReadSlack behind x.
constexpr size_t kBlock = 16;

struct ScalarFloat {
  using Element = float;
  using Weight = float;
  using Sum = float;
  static float Add(float sum, float x, float w, uint8_t) { return ExactFma(x, w, sum); }
};

struct ScalarInteger {
  using Element = uint8_t;
  using Weight = int8_t;
  using Sum = int32_t;
  static int32_t Add(int32_t sum, uint8_t x, int8_t w, uint8_t zero_point) { return sum + (x - zero_point) * w; }
};

// Sums of channels c to c + kBlock - 1 of an output pixel; those behind the last channel mean nothing.
template <class S>
void SumTaps(const DepthwiseTask& task, size_t ox, size_t c, typename S::Sum (&sums)[kBlock]) {
  const DepthwiseGeometry& g = *task.geometry;
  const uint8_t no_zero_points[kBlock] = {};
  const uint8_t* zero_points = task.zero_points ? task.zero_points + c : no_zero_points;
  const typename S::Weight* weights = reinterpret_cast<const typename S::Weight*>(task.weights) + c * g.taps();
  for (size_t ky = 0; ky < g.kernel_h; ky++) {
    const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;  // wraps when above the input
    if (iy >= g.in_h) continue;
    for (size_t kx = 0; kx < g.kernel_w; kx++) {
      const size_t ix = ox * g.stride_w + kx * g.dilation_w - g.pad_left;
      if (ix >= g.in_w) continue;
      const typename S::Element* x =
          reinterpret_cast<const typename S::Element*>(task.x) + (iy * g.in_w + ix) * g.in_stride + c;
      const typename S::Weight* w = weights + (ky * g.kernel_w + kx) * kBlock;
      for (size_t i = 0; i < kBlock; i++) sums[i] = S::Add(sums[i], x[i], w[i], zero_points[i]);
    }
  }
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
    for (size_t c = task.begin; c < task.end; c += kBlock) {
      typename S::Sum sums[kBlock] = {};
      SumTaps<S>(task, ox, c, sums);
      for (size_t n = c; n < c + kBlock && n < task.end; n++)
        FinishElement(e, ScaleAccumulator(e, sums[n - c], n), n, residual, y);
    }
  }
}

}  // namespace

extern const DepthwiseRow depthwise_f32_scalar_1x16 = {"depthwise_f32_scalar_1x16",
                                                       Isa::kScalar,
                                                       DepthwisePacking::kPlainFloat,
                                                       TapGroups::kSequence,
                                                       kBlock,
                                                       kBlock,
                                                       0,
                                                       0,
                                                       Run<ScalarFloat>};
extern const DepthwiseRow depthwise_u8s8_scalar_1x16 = {"depthwise_u8s8_scalar_1x16",
                                                        Isa::kScalar,
                                                        DepthwisePacking::kPlainInteger,
                                                        TapGroups::kSequence,
                                                        kBlock,
                                                        kBlock,
                                                        0,
                                                        0,
                                                        Run<ScalarInteger>};

}  // namespace lowp
