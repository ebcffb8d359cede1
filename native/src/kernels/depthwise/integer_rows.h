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

// Walks along the input rows of an output row for one block; columns and rows outside of the input give zero points.
template <size_t kRows>
struct InputRows {
  const uint8_t* next[kRows];  // of the next column inside the input, or the zero points
  size_t step[kRows];
  const uint8_t* zero_points;
  size_t ix;  // the next column, which may be a wrapped negative number
  size_t in_w;

  static LOWP_INLINE InputRows Of(const DepthwiseTask& task, size_t c) {
    const DepthwiseGeometry& g = *task.geometry;
    InputRows rows;
    rows.zero_points = task.zero_points + c;
    rows.ix = -g.pad_left;
    rows.in_w = g.in_w;
    LOWP_UNROLL for (size_t ky = 0; ky < kRows; ky++) {
      const size_t iy = task.oy * g.stride_h + ky * g.dilation_h - g.pad_top;
      const bool inside = iy < g.in_h;
      rows.next[ky] = inside ? task.x + iy * g.in_w * g.in_stride + c : rows.zero_points;
      rows.step[ky] = inside ? g.in_stride : 0;
    }
    return rows;
  }

  // The bytes of the next column.
  LOWP_INLINE void Next(const uint8_t* (&at)[kRows]) {
    const bool inside = ix++ < in_w;
    LOWP_UNROLL for (size_t ky = 0; ky < kRows; ky++) { at[ky] = inside ? next[ky] : zero_points; }
    LOWP_UNROLL for (size_t ky = 0; ky < kRows; ky++) { next[ky] += inside ? step[ky] : 0; }
  }
};

template <class B>
LOWP_INLINE typename B::Column NextOfThree(InputRows<3>& rows) {
  const uint8_t* at[3];
  rows.Next(at);
  return B::Interleave(at[0], at[1], at[2]);
}

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
  InputRows<3> rows = InputRows<3>::Of(task, c);
  BlockPlace at = BlockPlace::Of(task, c);
  typename B::Group w[3];
  LoadColumnWeights<B>(task, c, w);
  typename B::Int s0[B::kVectors], s1[B::kVectors], s2[B::kVectors];
  SetInitial<B>(channels, s1);
  B::Add(s1, NextOfThree<B>(rows), w[0]);
  SetInitial<B>(channels, s2);
  const typename B::Column second = NextOfThree<B>(rows);
  B::Add(s1, second, w[1]);
  B::Add(s2, second, w[0]);
  const size_t end = rows.ix + task.geometry->out_w;
  for (;;) {
    AddColumn<B>(NextOfThree<B>(rows), w, channels, s1, s2, s0);
    FinishBlock<typename B::V, B::kVectors, kPlain>(e, s1, channels, at);
    if (rows.ix == end) break;
    at.Advance(1);
    AddColumn<B>(NextOfThree<B>(rows), w, channels, s2, s0, s1);
    FinishBlock<typename B::V, B::kVectors, kPlain>(e, s2, channels, at);
    if (rows.ix == end) break;
    at.Advance(1);
    AddColumn<B>(NextOfThree<B>(rows), w, channels, s0, s1, s2);
    FinishBlock<typename B::V, B::kVectors, kPlain>(e, s0, channels, at);
    if (rows.ix == end) break;
    at.Advance(1);
  }
}

template <class B, bool kPlain>
__attribute__((noinline)) void Row3x3Stride2(const DepthwiseTask& task, size_t c) {
  const Epilogue& e = *task.epilogue;
  const uint8_t* channels = task.channels + c * kDepthwiseChannelBytes;
  InputRows<3> rows = InputRows<3>::Of(task, c);
  BlockPlace at = BlockPlace::Of(task, c);
  typename B::Group w[3];
  LoadColumnWeights<B>(task, c, w);
  typename B::Int sum[B::kVectors];
  SetInitial<B>(channels, sum);
  B::Add(sum, NextOfThree<B>(rows), w[0]);
  for (size_t left = task.geometry->out_w; left > 0; left--) {
    B::Add(sum, NextOfThree<B>(rows), w[1]);
    const typename B::Column last = NextOfThree<B>(rows);
    B::Add(sum, last, w[2]);
    FinishBlock<typename B::V, B::kVectors, kPlain>(e, sum, channels, at);
    at.Advance(1);
    SetInitial<B>(channels, sum);
    B::Add(sum, last, w[0]);
  }
}

// Sums of the windows that an input column belongs to, for 5x5 taps with dilation_w 1 and stride_w kStride. Four lines of
// a column are a group that serves all windows; the last line has groups of its own: four columns of it, and the first
// column, which is in the four of the window before.
template <class B, size_t kStride>
struct FiveByFive {
  static constexpr size_t kWindows = (5 + kStride - 1) / kStride;  // of one column
  static constexpr size_t kLastLine = 5, kLastLineFirst = 6;       // groups of weights behind those of the columns
  using Sums = typename B::Int[kWindows][B::kVectors];

  InputRows<5> rows;
  const uint8_t* line[4];  // the last line's bytes of the last four columns
  const uint8_t* weights;
  const uint8_t* channels;

  LOWP_INLINE FiveByFive(const DepthwiseTask& task, size_t c)
      : rows(InputRows<5>::Of(task, c)),
        weights(task.weights + c * kFiveByFiveGroups * (B::kGroupBytes / B::kChannels)),
        channels(task.channels + c * kDepthwiseChannelBytes) {
    LOWP_UNROLL for (int i = 0; i < 4; i++) { line[i] = rows.zero_points; }
  }

  LOWP_INLINE void Add(typename B::Int (&sum)[B::kVectors], const typename B::Column& column, size_t group) const {
    B::Add(sum, column, B::LoadGroup(weights + group * B::kGroupBytes));
  }

  // The next column, number kColumn of the window in sums[kFirst], the oldest one.
  template <size_t kFirst, size_t kColumn>
  LOWP_INLINE void AddColumn(Sums& sums) {
    const uint8_t* at[5];
    rows.Next(at);
    LOWP_UNROLL for (int i = 0; i < 3; i++) { line[i] = line[i + 1]; }
    line[3] = at[4];
    const typename B::Column column = B::Interleave(at[0], at[1], at[2], at[3]);
    LOWP_UNROLL for (size_t window = 0; window < kWindows; window++) {
      const size_t kx = kColumn - window * kStride;
      if (kx > 4) continue;
      if (kx == 0) SetInitial<B>(channels, sums[(kFirst + window) % kWindows]);
      Add(sums[(kFirst + window) % kWindows], column, kx);
    }
  }

  LOWP_INLINE typename B::Column LastLine() const { return B::Interleave(line[0], line[1], line[2], line[3]); }

  // All that is left of the window in sums[kFirst].
  template <size_t kFirst>
  LOWP_INLINE void Complete(Sums& sums) {
    asm("" : "+r"(weights));  // weights that are held from pixel to pixel would not fit into registers
    if constexpr (kStride == 2) AddColumn<kFirst, 3>(sums);
    AddColumn<kFirst, 4>(sums);
    const typename B::Column last = LastLine();
    Add(sums[kFirst], last, kLastLine);
    Add(sums[(kFirst + 1) % kWindows], last, kLastLineFirst);
  }

  // The columns of the first window but for those that Complete adds.
  LOWP_INLINE void Begin(Sums& sums) {
    AddColumn<0, 0>(sums);
    AddColumn<0, 1>(sums);
    AddColumn<0, 2>(sums);
    if constexpr (kStride == 1) AddColumn<0, 3>(sums);
    Add(sums[0], LastLine(), kLastLineFirst);
  }
};

template <class B, size_t kStride, bool kPlain>
__attribute__((noinline)) void Row5x5(const DepthwiseTask& task, size_t c) {
  using Walk = FiveByFive<B, kStride>;
  Walk walk(task, c);
  BlockPlace at = BlockPlace::Of(task, c);
  typename Walk::Sums sums;
  walk.Begin(sums);
  size_t left = task.geometry->out_w;
  // True when it was the last pixel.
  const auto finish = [&](const typename B::Int(&sum)[B::kVectors]) __attribute__((always_inline)) {
    FinishBlock<typename B::V, B::kVectors, kPlain>(*task.epilogue, sum, walk.channels, at);
    at.Advance(1);
    return --left == 0;
  };
  for (;;) {
    walk.template Complete<0>(sums);
    if (finish(sums[0])) break;
    walk.template Complete<1>(sums);
    if (finish(sums[1])) break;
    walk.template Complete<2>(sums);
    if (finish(sums[2])) break;
    if constexpr (Walk::kWindows > 3) {
      walk.template Complete<3>(sums);
      if (finish(sums[3])) break;
      walk.template Complete<4>(sums);
      if (finish(sums[4])) break;
    }
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

template <class Wide, class Narrow, size_t kKernel, size_t kStride, bool kPlain>
LOWP_INLINE void RunColumnBlocks(const DepthwiseTask& task) {
  ForBlocks<Wide, Narrow>(task, [&](auto block, size_t c) {
    if constexpr (kKernel == 5) {
      Row5x5<decltype(block), kStride, kPlain>(task, c);
    } else if constexpr (kStride == 1) {
      Row3x3Stride1<decltype(block), kPlain>(task, c);
    } else {
      Row3x3Stride2<decltype(block), kPlain>(task, c);
    }
  });
}

// kKernel x kKernel taps, 3 x 3 or 5 x 5, with dilation_w 1 and stride_w kStride, 1 or 2.
template <class Wide, class Narrow, size_t kKernel, size_t kStride>
void RunIntegerColumns(const DepthwiseTask& task) {
  if (IsPlain(*task.epilogue)) {
    RunColumnBlocks<Wide, Narrow, kKernel, kStride, true>(task);
  } else {
    RunColumnBlocks<Wide, Narrow, kKernel, kStride, false>(task);
  }
}

template <class Wide, class Narrow, size_t kKernel, size_t kStride>
constexpr DepthwiseRow IntegerColumnsRow(const char* name, Isa isa, DepthwisePacking packing) {
  return {name,    isa,     packing, kKernel == 5 ? TapGroups::kColumnsAndLine : TapGroups::kColumns, Wide::kChannels,
          Narrow::kChannels, kKernel, kStride, RunIntegerColumns<Wide, Narrow, kKernel, kStride>};
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
