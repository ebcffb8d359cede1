// Float depthwise rows: groups of output pixels by vectors of channels, one accumulator per output. For ISA files only.
#pragma once
#include "kernels/depthwise/lanes.h"
#include "kernels/depthwise/row.h"

namespace lowp {
namespace {

// A vector of channels of one output pixel; `count` channels are stored, more than the vector has means all.
template <class V>
LOWP_INLINE void FinishFloat(const Epilogue& e, typename V::Float sum, size_t n, size_t count, float* y,
                             const uint8_t* residual) {
  typename V::Float v = V::Add(sum, V::LoadFloat(e.bias + n));
  if (e.mid) {
    v = V::Min(V::Max(V::RoundFloat(v), V::Set(e.mid_low)), V::Set(e.mid_high));
    v = V::Fma(v, V::Set(e.mid_scale), V::Set(e.mid_bias));
  }
  if (e.residual == ResidualKind::kU8) {
    v = V::Fma(V::LoadBytesAsFloat(residual), V::Set(e.residual_scale), v);
  } else if (e.residual == ResidualKind::kF32) {
    v = V::Fma(V::LoadFloat(reinterpret_cast<const float*>(residual)), V::Set(e.residual_scale), v);
  }
  V::StoreFirst(y, V::Min(V::Max(v, V::Set(e.low)), V::Set(e.high)), count);
}

// kPixels sums of neighbouring outputs for channels c of the vector.
template <class V, int kPixels>
LOWP_INLINE void FinishPixels(const DepthwiseTask& task, size_t ox, size_t c, const typename V::Float (&sum)[kPixels]) {
  const DepthwiseGeometry& g = *task.geometry;
  const size_t residual_size = task.epilogue->residual == ResidualKind::kU8 ? 1 : sizeof(float);
  float* y = reinterpret_cast<float*>(task.y) + ox * g.out_stride + c;
  const uint8_t* residual = task.residual ? task.residual + (ox * g.channels + c) * residual_size : nullptr;
  LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
    FinishFloat<V>(*task.epilogue, sum[i], c, g.channels - c, y + i * g.out_stride, residual);
    if (residual) residual += g.channels * residual_size;
  }
}

// Channel 0 of the pixel at (iy, ix); ix may count from a wrapped negative number.
LOWP_INLINE const float* PixelOf(const DepthwiseTask& task, size_t iy, size_t ix) {
  const DepthwiseGeometry& g = *task.geometry;
  return reinterpret_cast<const float*>(task.x) + (iy * g.in_w + ix) * g.in_stride;
}

LOWP_INLINE const float* WeightsOf(const DepthwiseTask& task, size_t c) {
  return reinterpret_cast<const float*>(task.weights) + c * task.geometry->taps();
}

// One output pixel, any kernel, taps outside of the input left out.
template <class V>
__attribute__((noinline)) void FloatBorderPixel(const DepthwiseTask& task, size_t ox) {
  const DepthwiseGeometry& g = *task.geometry;
  for (size_t c = task.begin; c < task.end; c += V::kLanes) {
    typename V::Float sum[1] = {V::ZeroFloat()};
    for (size_t ky = 0; ky < g.kernel_h; ky++) {
      const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;  // wraps when above the input
      if (iy >= g.in_h) continue;
      const float* weights = WeightsOf(task, c) + ky * g.kernel_w * V::kLanes;
      for (size_t kx = 0; kx < g.kernel_w; kx++) {
        const size_t ix = ox * g.stride_w + kx * g.dilation_w - g.pad_left;
        if (ix >= g.in_w) continue;
        const auto w = V::LoadFloat(weights + kx * V::kLanes);
        sum[0] = V::Fma(V::LoadFloat(PixelOf(task, iy, ix) + c), w, sum[0]);
      }
    }
    FinishPixels<V>(task, ox, c, sum);
  }
}

// kPixels output pixels whose windows have all their columns inside the input.
template <class V, int kPixels>
__attribute__((noinline)) void FloatPixels(const DepthwiseTask& task, size_t ox) {
  const DepthwiseGeometry& g = *task.geometry;
  const size_t step = g.stride_w * g.in_stride;
  for (size_t c = task.begin; c < task.end; c += V::kLanes) {
    typename V::Float sum[kPixels];
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) sum[i] = V::ZeroFloat();
    const float* weights = WeightsOf(task, c);
    for (size_t ky = 0; ky < g.kernel_h; ky++) {
      const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;
      if (iy >= g.in_h) {
        weights += g.kernel_w * V::kLanes;
        continue;
      }
      const float* x = PixelOf(task, iy, ox * g.stride_w - g.pad_left) + c;
      for (size_t kx = 0; kx < g.kernel_w; kx++, x += g.dilation_w * g.in_stride, weights += V::kLanes) {
        const auto w = V::LoadFloat(weights);
        LOWP_UNROLL for (int i = 0; i < kPixels; i++) sum[i] = V::Fma(V::LoadFloat(x + i * step), w, sum[i]);
      }
    }
    FinishPixels<V>(task, ox, c, sum);
  }
}

// The same for 3x3 kernels with dilation_w 1 and stride_w kStride: a loaded column serves every window that it is in.
template <class V, int kStride, int kPixels>
__attribute__((noinline)) void FloatPixels3x3(const DepthwiseTask& task, size_t ox) {
  const DepthwiseGeometry& g = *task.geometry;
  for (size_t c = task.begin; c < task.end; c += V::kLanes) {
    typename V::Float sum[kPixels];
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) sum[i] = V::ZeroFloat();
    const float* weights = WeightsOf(task, c);
    for (size_t ky = 0; ky < 3; ky++, weights += 3 * V::kLanes) {
      const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;
      if (iy >= g.in_h) continue;
      const float* x = PixelOf(task, iy, ox * kStride - g.pad_left) + c;
      const typename V::Float w[3] = {V::LoadFloat(weights), V::LoadFloat(weights + V::kLanes),
                                      V::LoadFloat(weights + 2 * V::kLanes)};
      LOWP_UNROLL for (int column = 0; column < (kPixels - 1) * kStride + 3; column++) {
        const auto v = V::LoadFloat(x + column * g.in_stride);
        LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
          const int kx = column - i * kStride;
          if (kx >= 0 && kx < 3) sum[i] = V::Fma(v, w[kx >= 0 && kx < 3 ? kx : 0], sum[i]);
        }
      }
    }
    FinishPixels<V>(task, ox, c, sum);
  }
}

// Output columns whose windows lie inside the input's width.
struct InnerColumns {
  size_t begin;
  size_t end;

  LOWP_INLINE InnerColumns Of(const DepthwiseGeometry& g) {
    const size_t window = (g.kernel_w - 1) * g.dilation_w + 1;
    const size_t room = g.in_w + g.pad_left;  // window's first column of output ox is ox * stride_w of these
    size_t begin = (g.pad_left + g.stride_w - 1) / g.stride_w;
    size_t end = room >= window ? (room - window) / g.stride_w + 1 : 0;
    if (end > g.out_w) end = g.out_w;
    if (begin > end) begin = end;
    return {begin, end};
  }
};

template <class V>
void RunFloat(const DepthwiseTask& task) {
  const InnerColumns inner = InnerColumns::Of(*task.geometry);
  size_t ox = 0;
  while (ox < inner.begin) FloatBorderPixel<V>(task, ox++);
  for (; ox + 8 <= inner.end; ox += 8) FloatPixels<V, 8>(task, ox);
  for (; ox + 3 <= inner.end; ox += 3) FloatPixels<V, 3>(task, ox);
  while (ox < task.geometry->out_w) FloatBorderPixel<V>(task, ox++);
}

template <class V, int kStride, int kPixels>
void RunFloat3x3(const DepthwiseTask& task) {
  const InnerColumns inner = InnerColumns::Of(*task.geometry);
  size_t ox = 0;
  while (ox < inner.begin) FloatBorderPixel<V>(task, ox++);
  for (; ox + kPixels <= inner.end; ox += kPixels) FloatPixels3x3<V, kStride, kPixels>(task, ox);
  for (; ox + 2 <= inner.end; ox += 2) FloatPixels3x3<V, kStride, 2>(task, ox);
  while (ox < task.geometry->out_w) FloatBorderPixel<V>(task, ox++);
}

}  // namespace
}  // namespace lowp
