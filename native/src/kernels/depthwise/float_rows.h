// Float depthwise rows: groups of output pixels by vectors of channels, one accumulator per output. For ISA files only.
#pragma once
#include "kernels/depthwise/row.h"
#include "simd/lanes.h"

namespace lowp {
namespace {

// kPixels sums of neighbouring outputs for channels c of the vector.
template <class V, int kPixels>
LOWP_INLINE void FinishPixels(const DepthwiseTask& task, size_t ox, size_t c, typename V::Float (&v)[kPixels]) {
  const DepthwiseGeometry& g = *task.geometry;
  const Epilogue& e = *task.epilogue;
  const auto bias = V::LoadFloat(e.bias + c), low = V::Set(e.low), high = V::Set(e.high);
  LOWP_UNROLL for (int i = 0; i < kPixels; i++) { v[i] = V::Add(v[i], bias); }
  if (e.mid) {
    const auto mid_scale = V::Set(e.mid_scale), mid_bias = V::Set(e.mid_bias);
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
      v[i] = V::Min(V::Max(V::RoundFloat(v[i]), V::Set(e.mid_low)), V::Set(e.mid_high));
      v[i] = V::Fma(v[i], mid_scale, mid_bias);
    }
  }
  if (e.residual == ResidualKind::kU8) {
    const uint8_t* residual = task.residual + ox * g.channels + c;
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
      v[i] = V::Fma(V::LoadBytesAsFloat(residual + i * g.channels), V::Set(e.residual_scale), v[i]);
    }
  } else if (e.residual == ResidualKind::kF32) {
    const float* residual = reinterpret_cast<const float*>(task.residual) + ox * g.channels + c;
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
      v[i] = V::Fma(V::LoadFloat(residual + i * g.channels), V::Set(e.residual_scale), v[i]);
    }
  }
  LOWP_UNROLL for (int i = 0; i < kPixels; i++) { v[i] = V::Min(V::Max(v[i], low), high); }
  const size_t step = g.out_stride, count = g.channels - c;  // not read again behind a store, which may be to anything
  float* y = reinterpret_cast<float*>(task.y) + ox * step + c;
  if (count >= V::kLanes) {
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) { V::StoreFloat(y + i * step, v[i]); }
  } else {
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) { V::StoreFirst(y + i * step, v[i], count); }
  }
}

// Channel 0 of the first pixel of row iy.
LOWP_INLINE const float* RowOf(const DepthwiseTask& task, size_t iy) {
  const DepthwiseGeometry& g = *task.geometry;
  return reinterpret_cast<const float*>(task.x) + iy * g.in_w * g.in_stride;
}

LOWP_INLINE const float* WeightsOf(const DepthwiseTask& task, size_t c) {
  return reinterpret_cast<const float*>(task.weights) + c * task.geometry->taps();
}

// kPixels output pixels from ox on. kChecked: columns of their windows may lie outside of the input.
template <class V, int kPixels, bool kChecked>
__attribute__((noinline)) void FloatPixels(const DepthwiseTask& task, size_t ox) {
  const DepthwiseGeometry& g = *task.geometry;
  const size_t step = g.stride_w * g.in_stride;
  for (size_t c = task.begin; c < task.end; c += V::kLanes) {
    typename V::Float sum[kPixels];
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) { sum[i] = V::ZeroFloat(); }
    const float* weights = WeightsOf(task, c);
    for (size_t ky = 0; ky < g.kernel_h; ky++) {
      const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;  // wraps when above the input
      if (iy >= g.in_h) {
        weights += g.kernel_w * V::kLanes;
        continue;
      }
      const float* row = RowOf(task, iy) + c;
      size_t ix = ox * g.stride_w - g.pad_left;
      for (size_t kx = 0; kx < g.kernel_w; kx++, ix += g.dilation_w, weights += V::kLanes) {
        const auto w = V::LoadFloat(weights);
        LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
          if (kChecked && ix + i * g.stride_w >= g.in_w) continue;
          sum[i] = V::Fma(V::LoadFloat(row + (ix * g.in_stride + i * step)), w, sum[i]);
        }
      }
    }
    FinishPixels<V>(task, ox, c, sum);
  }
}

// kPixels output pixels for 3x3 kernels with dilation_w 1 and stride_w kStride: a loaded column serves every window
// that it is in. The first and the last column may lie outside of the input.
template <class V, int kStride, int kPixels>
__attribute__((noinline)) void FloatPixels3x3(const DepthwiseTask& task, size_t ox) {
  constexpr int kColumns = (kPixels - 1) * kStride + 3;
  const DepthwiseGeometry& g = *task.geometry;
  const size_t first = ox * kStride - g.pad_left;
  const bool no_first = first >= g.in_w, no_last = first + (kColumns - 1) >= g.in_w;
  for (size_t c = task.begin; c < task.end; c += V::kLanes) {
    typename V::Float sum[kPixels];
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) { sum[i] = V::ZeroFloat(); }
    const float* weights = WeightsOf(task, c);
    for (size_t ky = 0; ky < 3; ky++, weights += 3 * V::kLanes) {
      const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;
      if (iy >= g.in_h) continue;
      const float* row = RowOf(task, iy) + c;
      const typename V::Float w[3] = {V::LoadFloat(weights), V::LoadFloat(weights + V::kLanes),
                                      V::LoadFloat(weights + 2 * V::kLanes)};
      LOWP_UNROLL for (int column = 0; column < kColumns; column++) {
        if ((column == 0 && no_first) || (column == kColumns - 1 && no_last)) continue;
        const auto v = V::LoadFloat(row + (first + column) * g.in_stride);
        LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
          const int kx = column - i * kStride;
          if (kx >= 0 && kx < 3) sum[i] = V::Fma(v, w[kx >= 0 && kx < 3 ? kx : 0], sum[i]);
        }
      }
    }
    FinishPixels<V>(task, ox, c, sum);
  }
}

// Output columns whose windows have at most `outside` columns to the left and as many to the right of the input.
struct InnerColumns {
  size_t begin;
  size_t end;

  static LOWP_INLINE InnerColumns Of(const DepthwiseGeometry& g, size_t outside) {
    const size_t window = (g.kernel_w - 1) * g.dilation_w + 1;
    const size_t left = g.pad_left > outside ? g.pad_left - outside : 0;
    const size_t room = g.in_w + g.pad_left + outside;
    size_t begin = (left + g.stride_w - 1) / g.stride_w;
    size_t end = room >= window ? (room - window) / g.stride_w + 1 : 0;
    if (end > g.out_w) end = g.out_w;
    if (begin > end) begin = end;
    return {begin, end};
  }
};

template <class V, int kPixels>
LOWP_INLINE size_t RunPixels(const DepthwiseTask& task, const InnerColumns& inner, size_t ox) {
  for (; ox + kPixels <= task.geometry->out_w; ox += kPixels) {
    if (ox >= inner.begin && ox + kPixels <= inner.end) {
      FloatPixels<V, kPixels, false>(task, ox);
    } else {
      FloatPixels<V, kPixels, true>(task, ox);
    }
  }
  return ox;
}

// Any kernel. Widths of images are often multiples of 7.
template <class V>
void RunFloat(const DepthwiseTask& task) {
  const InnerColumns inner = InnerColumns::Of(*task.geometry, 0);
  size_t ox = RunPixels<V, 7>(task, inner, 0);
  ox = RunPixels<V, 3>(task, inner, ox);
  RunPixels<V, 1>(task, inner, ox);
}

template <class V, int kStride, int kPixels>
LOWP_INLINE size_t RunPixels3x3(const DepthwiseTask& task, const InnerColumns& inner, size_t ox) {
  for (; ox + kPixels <= inner.end; ox += kPixels) FloatPixels3x3<V, kStride, kPixels>(task, ox);
  return ox;
}

// 3x3 kernels with dilation_w 1 and stride_w kStride.
template <class V, int kStride>
void RunFloat3x3(const DepthwiseTask& task) {
  const InnerColumns inner = InnerColumns::Of(*task.geometry, 1);
  size_t ox = 0;
  while (ox < inner.begin) FloatPixels<V, 1, true>(task, ox++);
  ox = RunPixels3x3<V, kStride, 7>(task, inner, ox);
  ox = RunPixels3x3<V, kStride, 4>(task, inner, ox);
  ox = RunPixels3x3<V, kStride, 2>(task, inner, ox);
  ox = RunPixels3x3<V, kStride, 1>(task, inner, ox);
  while (ox < task.geometry->out_w) FloatPixels<V, 1, true>(task, ox++);
}

}  // namespace
}  // namespace lowp
