// Float depthwise rows: groups of output pixels by vectors of channels, one accumulator per output. For ISA files only.
#pragma once
#include "kernels/depthwise/row.h"
#include "simd/lanes.h"

namespace lowp {
namespace {

// kPixels sums of outputs `apart` pixels from each other, for channels c of the vector.
template <class V, int kPixels>
LOWP_INLINE void FinishPixels(const DepthwiseTask& task, size_t ox, size_t apart, size_t c,
                              typename V::Float (&v)[kPixels]) {
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
      v[i] = V::Fma(V::LoadBytesAsFloat(residual + i * apart * g.channels), V::Set(e.residual_scale), v[i]);
    }
  } else if (e.residual == ResidualKind::kF32) {
    const float* residual = reinterpret_cast<const float*>(task.residual) + ox * g.channels + c;
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
      v[i] = V::Fma(V::LoadFloat(residual + i * apart * g.channels), V::Set(e.residual_scale), v[i]);
    }
  }
  LOWP_UNROLL for (int i = 0; i < kPixels; i++) { v[i] = V::Min(V::Max(v[i], low), high); }
  const size_t step = apart * g.out_stride;  // not read again behind a store, which may be to anything
  const size_t count = g.channels - c;
  float* y = reinterpret_cast<float*>(task.y) + ox * g.out_stride + c;
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
    FinishPixels<V>(task, ox, 1, c, sum);
  }
}

// The lines of the input that an output row's windows read.
struct InnerLines {
  const float* first;  // channel 0 of the first pixel
  size_t count;
  size_t above;     // kernel lines in front of them
  size_t distance;  // floats

  static LOWP_INLINE InnerLines Of(const DepthwiseTask& task) {
    const DepthwiseGeometry& g = *task.geometry;
    size_t top = task.oy * g.stride_h - g.pad_top;  // wraps when above the input
    InnerLines lines = {nullptr, 0, 0, g.dilation_h * g.in_w * g.in_stride};
    for (; lines.above < g.kernel_h && top >= g.in_h; lines.above++) top += g.dilation_h;
    if (lines.above == g.kernel_h) top = 0;
    for (size_t iy = top; lines.above + lines.count < g.kernel_h && iy < g.in_h; iy += g.dilation_h) lines.count++;
    lines.first = RowOf(task, top);
    return lines;
  }
};

// kPixels output pixels, dilation_w apart, for kKernel x kKernel taps with stride_w kStride: their windows share columns
// that are as far apart, and a loaded column serves every window that it is in. Up to kKernel / 2 columns on either side
// may lie outside of the input.
template <class V, int kKernel, int kStride, int kPixels>
__attribute__((noinline)) void FloatColumns(const DepthwiseTask& task, const InnerLines& lines, size_t ox) {
  constexpr int kColumns = (kPixels - 1) * kStride + kKernel, kOutside = kKernel / 2;
  static_assert(kColumns <= 32);
  const DepthwiseGeometry& g = *task.geometry;
  const size_t first = ox * kStride - g.pad_left, gap = g.dilation_w, end = task.end;
  const size_t first_at = first * g.in_stride, step = gap * g.in_stride;
  uint32_t outside = 0;  // columns, by bit
  LOWP_UNROLL for (int column = 0; column < kColumns; column++) {
    const bool edge = column < kOutside || column >= kColumns - kOutside;
    if (edge && first + static_cast<size_t>(column) * gap >= g.in_w) outside |= 1u << column;
  }
  const size_t line_step = lines.distance, count = lines.count;
  const float* const base = lines.first;
  const float* weights = reinterpret_cast<const float*>(task.weights) + task.begin * (kKernel * kKernel) +
                         lines.above * (kKernel * V::kLanes);
  for (size_t c = task.begin; c < end; c += V::kLanes, weights += kKernel * kKernel * V::kLanes) {
    typename V::Float sum[kPixels];
    LOWP_UNROLL for (int i = 0; i < kPixels; i++) { sum[i] = V::ZeroFloat(); }
    const float* tap = weights;
    const float* row = base + c;
    for (size_t ky = count; ky > 0; ky--, tap += kKernel * V::kLanes, row += line_step) {
      typename V::Float w[kKernel];
      LOWP_UNROLL for (int kx = 0; kx < kKernel; kx++) { w[kx] = V::LoadFloat(tap + kx * V::kLanes); }
      size_t at = first_at;
      LOWP_UNROLL for (int column = 0; column < kColumns; column++, at += step) {
        asm("" : "+r"(at));  // one address a column would not fit into registers
        if ((column < kOutside || column >= kColumns - kOutside) && (outside & 1u << column)) continue;
        auto v = V::LoadFloat(row + at);
        asm("" : "+v"(v));  // loaded once, not by each product
        LOWP_UNROLL for (int i = 0; i < kPixels; i++) {
          const int kx = column - i * kStride;
          if (kx >= 0 && kx < kKernel) sum[i] = V::Fma(v, w[kx >= 0 && kx < kKernel ? kx : 0], sum[i]);
        }
      }
    }
    FinishPixels<V>(task, ox, gap, c, sum);
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

// kPixels at most kMost.
template <class V, int kKernel, int kStride, int kMost, int kPixels>
constexpr auto kTileOf = FloatColumns<V, kKernel, kStride, (kPixels < kMost ? kPixels : kMost)>;

template <class V, int kKernel, int kStride, int kMost>
constexpr void (*kTiles[])(const DepthwiseTask& task, const InnerLines& lines, size_t ox) = {
    kTileOf<V, kKernel, kStride, kMost, 1>,  kTileOf<V, kKernel, kStride, kMost, 2>,
    kTileOf<V, kKernel, kStride, kMost, 3>,  kTileOf<V, kKernel, kStride, kMost, 4>,
    kTileOf<V, kKernel, kStride, kMost, 5>,  kTileOf<V, kKernel, kStride, kMost, 6>,
    kTileOf<V, kKernel, kStride, kMost, 7>,  kTileOf<V, kKernel, kStride, kMost, 8>,
    kTileOf<V, kKernel, kStride, kMost, 9>,  kTileOf<V, kKernel, kStride, kMost, 10>,
    kTileOf<V, kKernel, kStride, kMost, 11>, kTileOf<V, kKernel, kStride, kMost, 12>,
    kTileOf<V, kKernel, kStride, kMost, 13>, kTileOf<V, kKernel, kStride, kMost, 14>};

// kKernel x kKernel taps with stride_w kStride: at most kMost pixels at a time, kMostOfMany when that is not the whole
// line, in numbers that differ by at most one. Pixels whose windows share columns are dilation_w apart.
template <class V, int kKernel, int kStride, int kMost, int kMostOfMany = kMost>
void RunFloatColumns(const DepthwiseTask& task) {
  const size_t gap = task.geometry->dilation_w;
  const InnerColumns inner = InnerColumns::Of(*task.geometry, kKernel / 2 * gap);
  const InnerLines lines = InnerLines::Of(task);
  for (size_t ox = 0; ox < inner.begin; ox++) FloatPixels<V, 1, true>(task, ox);
  for (size_t start = inner.begin; start < inner.begin + gap && start < inner.end; start++) {
    size_t left = (inner.end - start + gap - 1) / gap, ox = start;
    const size_t most = left <= kMost ? kMost : kMostOfMany;
    for (size_t tiles = (left + most - 1) / most; tiles > 0; tiles--) {
      const size_t pixels = (left + tiles - 1) / tiles;
      kTiles<V, kKernel, kStride, kMost>[pixels - 1](task, lines, ox);
      left -= pixels;
      ox += pixels * gap;
    }
  }
  for (size_t ox = inner.end; ox < task.geometry->out_w; ox++) FloatPixels<V, 1, true>(task, ox);
}

template <class V, int kKernel, int kStride, int kMost, int kMostOfMany = kMost>
constexpr DepthwiseRow FloatColumnsRow(const char* name, Isa isa) {
  return {name,     isa,     DepthwisePacking::kPlainFloat, TapGroups::kSequence, V::kLanes, V::kLanes, kKernel,
          kStride, RunFloatColumns<V, kKernel, kStride, kMost, kMostOfMany>};
}

}  // namespace
}  // namespace lowp
