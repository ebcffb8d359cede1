// Integer depthwise rows over blocks of channels. For ISA files only.
//
// A block type B says how 4 taps meet: B::Interleave turns 4 vectors of bytes, one per tap, into a B::Column whose
// 32-bit elements belong to one channel each, and B::Add adds a column's products with a group of weights to the
// accumulators.
#pragma once
#include "kernels/depthwise/finish.h"

namespace lowp {
namespace {

// Pairs of s16 through multiply-add: exact for all weights. A block has one byte per 16-bit lane.
template <class Vector>
struct PairBlock {
  using V = Vector;
  using Int = typename V::Int;
  static constexpr int kVectors = 2;
  static constexpr size_t kChannels = V::kLanes * 2;
  static constexpr size_t kGroupBytes = kChannels * 8;  // of weights

  struct Column {
    Int pair[2][2];  // [taps 0 and 1, taps 2 and 3][register]
  };
  struct Group {
    Int pair[2][2];
  };

  static LOWP_INLINE Int Words(const uint8_t* p) { return V::WidenBytes(V::LoadHalf(p)); }
  static LOWP_INLINE void SetPair(Int first, Int second, Int (&pair)[2]) {
    pair[0] = V::UnpackLowWords(first, second);
    pair[1] = V::UnpackHighWords(first, second);
  }
  static LOWP_INLINE Column Interleave(const uint8_t* p0, const uint8_t* p1, const uint8_t* p2, const uint8_t* p3) {
    Column c;
    SetPair(Words(p0), Words(p1), c.pair[0]);
    SetPair(Words(p2), Words(p3), c.pair[1]);
    return c;
  }
  // As if the fourth tap, whose weight is 0, were the third.
  static LOWP_INLINE Column Interleave(const uint8_t* p0, const uint8_t* p1, const uint8_t* p2) {
    Column c;
    SetPair(Words(p0), Words(p1), c.pair[0]);
    const Int third = Words(p2);
    SetPair(third, third, c.pair[1]);
    return c;
  }
  static LOWP_INLINE Group LoadGroup(const uint8_t* weights) {
    Group g;
    LOWP_UNROLL for (int h = 0; h < 2; h++) {
      LOWP_UNROLL for (int j = 0; j < 2; j++) { g.pair[h][j] = V::Load(weights + (h * 2 + j) * sizeof(Int)); }
    }
    return g;
  }
  static LOWP_INLINE void Add(Int (&acc)[2], const Column& c, const Group& g) {
    LOWP_UNROLL for (int h = 0; h < 2; h++) {
      LOWP_UNROLL for (int j = 0; j < 2; j++) { acc[j] = V::AddPairs(acc[j], c.pair[h][j], g.pair[h][j]); }
    }
  }
};

template <class B>
LOWP_INLINE void SetInitial(const uint8_t* channels, typename B::Int (&acc)[B::kVectors]) {
  LOWP_UNROLL for (int j = 0; j < B::kVectors; j++) { acc[j] = B::V::Load(channels + j * sizeof(typename B::Int)); }
}

// Walks along the three input rows of an output row for one block; columns and rows outside of the input give zero
// points.
struct ThreeRows {
  const uint8_t* next[3];  // of the next column inside the input, or the zero points
  size_t step[3];
  const uint8_t* zero_points;
  size_t ix;  // the next column, which may be a wrapped negative number
  size_t in_w;

  static LOWP_INLINE ThreeRows Of(const DepthwiseTask& task, size_t c) {
    const DepthwiseGeometry& g = *task.geometry;
    ThreeRows rows;
    rows.zero_points = task.zero_points + c;
    rows.ix = -g.pad_left;
    rows.in_w = g.in_w;
    LOWP_UNROLL for (size_t ky = 0; ky < 3; ky++) {
      const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;
      const bool inside = iy < g.in_h;
      rows.next[ky] = inside ? task.x + iy * g.in_w * g.in_stride + c : rows.zero_points;
      rows.step[ky] = inside ? g.in_stride : 0;
    }
    return rows;
  }

  template <class B>
  LOWP_INLINE typename B::Column Next() {
    const bool inside = ix++ < in_w;
    const uint8_t* p0 = inside ? next[0] : zero_points;
    const uint8_t* p1 = inside ? next[1] : zero_points;
    const uint8_t* p2 = inside ? next[2] : zero_points;
    LOWP_UNROLL for (int ky = 0; ky < 3; ky++) { next[ky] += inside ? step[ky] : 0; }
    return B::Interleave(p0, p1, p2);
  }
};

// One input column for the three output columns that it belongs to: the last tap of a, the second of b, the first of c.
template <class B>
LOWP_INLINE void AddColumn(const typename B::Column& column, const typename B::Group (&w)[3], const uint8_t* channels,
                           typename B::Int (&a)[B::kVectors], typename B::Int (&b)[B::kVectors],
                           typename B::Int (&c)[B::kVectors]) {
  B::Add(a, column, w[2]);
  B::Add(b, column, w[1]);
  SetInitial<B>(channels, c);
  B::Add(c, column, w[0]);
}

template <class B>
LOWP_INLINE void LoadColumnWeights(const DepthwiseTask& task, size_t c, typename B::Group (&w)[3]) {
  const uint8_t* weights = task.weights + c * 3 * (B::kGroupBytes / B::kChannels);
  LOWP_UNROLL for (int kx = 0; kx < 3; kx++) { w[kx] = B::LoadGroup(weights + kx * B::kGroupBytes); }
}

template <class B, bool kPlain>
__attribute__((noinline)) void Row3x3Stride1(const DepthwiseTask& task, size_t c) {
  const Epilogue& e = *task.epilogue;
  const uint8_t* channels = task.channels + c * kDepthwiseChannelBytes;
  ThreeRows rows = ThreeRows::Of(task, c);
  BlockPlace at = BlockPlace::Of(task, c);
  typename B::Group w[3];
  LoadColumnWeights<B>(task, c, w);
  typename B::Int s0[B::kVectors], s1[B::kVectors], s2[B::kVectors];
  SetInitial<B>(channels, s1);
  B::Add(s1, rows.Next<B>(), w[0]);
  SetInitial<B>(channels, s2);
  const typename B::Column second = rows.Next<B>();
  B::Add(s1, second, w[1]);
  B::Add(s2, second, w[0]);
  const size_t end = rows.ix + task.geometry->out_w;
  for (;;) {
    AddColumn<B>(rows.Next<B>(), w, channels, s1, s2, s0);
    FinishBlock<typename B::V, B::kVectors, kPlain>(e, s1, channels, at);
    if (rows.ix == end) break;
    at.Advance(1);
    AddColumn<B>(rows.Next<B>(), w, channels, s2, s0, s1);
    FinishBlock<typename B::V, B::kVectors, kPlain>(e, s2, channels, at);
    if (rows.ix == end) break;
    at.Advance(1);
    AddColumn<B>(rows.Next<B>(), w, channels, s0, s1, s2);
    FinishBlock<typename B::V, B::kVectors, kPlain>(e, s0, channels, at);
    if (rows.ix == end) break;
    at.Advance(1);
  }
}

template <class B, bool kPlain>
__attribute__((noinline)) void Row3x3Stride2(const DepthwiseTask& task, size_t c) {
  const Epilogue& e = *task.epilogue;
  const uint8_t* channels = task.channels + c * kDepthwiseChannelBytes;
  ThreeRows rows = ThreeRows::Of(task, c);
  BlockPlace at = BlockPlace::Of(task, c);
  typename B::Group w[3];
  LoadColumnWeights<B>(task, c, w);
  typename B::Int sum[B::kVectors];
  SetInitial<B>(channels, sum);
  B::Add(sum, rows.Next<B>(), w[0]);
  for (size_t left = task.geometry->out_w; left > 0; left--) {
    B::Add(sum, rows.Next<B>(), w[1]);
    const typename B::Column last = rows.Next<B>();
    B::Add(sum, last, w[2]);
    FinishBlock<typename B::V, B::kVectors, kPlain>(e, sum, channels, at);
    at.Advance(1);
    SetInitial<B>(channels, sum);
    B::Add(sum, last, w[0]);
  }
}

// Addresses of channel 0 of the taps of output pixels [begin, end), `stride` of them per pixel; the zero points where a
// tap is outside of the input and behind the last tap.
__attribute__((noinline)) void ListTaps(const DepthwiseTask& task, size_t begin, size_t end, size_t stride,
                                        const uint8_t** taps) {
  const DepthwiseGeometry& g = *task.geometry;
  const size_t across = g.dilation_w * g.in_stride;
  for (size_t ky = 0; ky < g.kernel_h; ky++) {
    const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;
    const bool inside = iy < g.in_h;
    const uint8_t** tap = taps + ky * g.kernel_w;
    for (size_t ox = begin; ox < end; ox++, tap += stride) {
      size_t ix = ox * g.stride_w - g.pad_left;
      size_t at = (iy * g.in_w + ix) * g.in_stride;
      for (size_t kx = 0; kx < g.kernel_w; kx++, ix += g.dilation_w, at += across)
        tap[kx] = inside && ix < g.in_w ? task.x + at : task.zero_points;
    }
  }
  for (size_t ox = begin; ox < end; ox++, taps += stride)
    for (size_t tap = g.taps(); tap < stride; tap++) taps[tap] = task.zero_points;
}

template <class B, bool kPlain>
__attribute__((noinline)) void PixelsOfAnyKernel(const DepthwiseTask& task, size_t c, size_t begin, size_t end,
                                                 size_t taps) {
  const uint8_t* const* tap = reinterpret_cast<const uint8_t* const*>(task.scratch);
  const uint8_t* channels = task.channels + c * kDepthwiseChannelBytes;
  const uint8_t* packed = task.weights + c * (taps / 4) * (B::kGroupBytes / B::kChannels);
  BlockPlace at = BlockPlace::Of(task, c);
  at.Advance(begin);
  for (size_t ox = begin; ox < end; ox++) {
    typename B::Int sum[B::kVectors];
    SetInitial<B>(channels, sum);
    const uint8_t* weights = packed;
    for (size_t t = 0; t < taps; t += 4, tap += 4, weights += B::kGroupBytes)
      B::Add(sum, B::Interleave(tap[0] + c, tap[1] + c, tap[2] + c, tap[3] + c), B::LoadGroup(weights));
    FinishBlock<typename B::V, B::kVectors, kPlain>(*task.epilogue, sum, channels, at);
    at.Advance(1);
  }
}

// Blocks of the task: as many Wide ones as fit, a Narrow one for a rest that fits it.
template <class Wide, class Narrow, class Apply>
LOWP_INLINE void ForBlocks(const DepthwiseTask& task, const Apply& apply) {
  for (size_t c = task.begin; c < task.end; c += Wide::kChannels) {
    if (task.geometry->channels - c <= Narrow::kChannels) {
      apply(Narrow(), c);
    } else {
      apply(Wide(), c);
    }
  }
}

template <class Wide, class Narrow, size_t kStride, bool kPlain>
LOWP_INLINE void RunBlocks3x3(const DepthwiseTask& task) {
  ForBlocks<Wide, Narrow>(task, [&](auto block, size_t c) {
    if constexpr (kStride == 1) {
      Row3x3Stride1<decltype(block), kPlain>(task, c);
    } else {
      Row3x3Stride2<decltype(block), kPlain>(task, c);
    }
  });
}

// 3x3 kernels with dilation_w 1 and stride_w kStride; weights in TapGroups::kColumns.
template <class Wide, class Narrow, size_t kStride>
void RunInteger3x3(const DepthwiseTask& task) {
  if (IsPlain(*task.epilogue)) {
    RunBlocks3x3<Wide, Narrow, kStride, true>(task);
  } else {
    RunBlocks3x3<Wide, Narrow, kStride, false>(task);
  }
}

// Any kernel; weights in TapGroups::kSequence.
template <class Wide, class Narrow>
void RunInteger(const DepthwiseTask& task) {
  const DepthwiseGeometry& g = *task.geometry;
  const size_t taps = (g.taps() + 3) / 4 * 4;
  const size_t segment = DepthwiseSegment(taps);
  const bool plain = IsPlain(*task.epilogue);
  for (size_t begin = 0; begin < g.out_w; begin += segment) {
    const size_t end = g.out_w - begin < segment ? g.out_w : begin + segment;
    ListTaps(task, begin, end, taps, reinterpret_cast<const uint8_t**>(task.scratch));
    ForBlocks<Wide, Narrow>(task, [&](auto block, size_t c) {
      if (plain) {
        PixelsOfAnyKernel<decltype(block), true>(task, c, begin, end, taps);
      } else {
        PixelsOfAnyKernel<decltype(block), false>(task, c, begin, end, taps);
      }
    });
  }
}

}  // namespace
}  // namespace lowp
