// Winograd's transformations of bytes and the products of words; include a kernels/gemm/tile_*.h before it, whose
// epilogue it uses. For ISA files only.
#pragma once
#include "kernels/winograd/integer_rows.h"
#include "kernels/winograd/tile_walk.h"
#include "simd/lanes.h"

namespace lowp {
namespace {

// Two s16 of x against two s16 weights a lane. Sums are only ever suspended.
template <class W>
struct WordMath : IntegerMath {
  using Int = typename W::Int;

  static LOWP_INLINE Int Start(const PanelTask&, size_t, int) { return W::Zero(); }

  template <int R, int V>
  static LOWP_INLINE void Step(Int (&acc)[R][V], const uint8_t* const (&x)[R], size_t k, const uint8_t* weights) {
    Int w[V];
    LOWP_UNROLL for (int j = 0; j < V; j++) w[j] = W::Load(weights + j * W::kLanes * 4);
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      int32_t pair;
      __builtin_memcpy(&pair, x[i] + k, sizeof(pair));
      const Int value = W::SetInt(pair);
      LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = W::AddPairs(acc[i][j], value, w[j]);
    }
  }

  template <int R, int V>
  static LOWP_INLINE bool Suspend(const PanelTask& t, size_t row, Int (&acc)[R][V]) {
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      LOWP_UNROLL for (int j = 0; j < V; j++) W::Store(t.partial + ((row + i) * V + j) * W::kLanes, acc[i][j]);
    }
    return true;
  }
};

// d <- B' d, for one column of a window of words.
template <class W, class Int = typename W::Int>
LOWP_INLINE void TransformLine(Int& d0, Int& d1, Int& d2, Int& d3) {
  const Int v0 = W::SubWords(d0, d2), v1 = W::AddWords(d1, d2), v2 = W::SubWords(d2, d1), v3 = W::SubWords(d1, d3);
  d0 = v0;
  d1 = v1;
  d2 = v2;
  d3 = v3;
}

template <class W>
void TransformBytes(const WinogradByteInput& t) {
  constexpr size_t kWords = 2 * W::kLanes;
  TileWalk at(*t.geometry, t.first);
  const size_t channels = t.geometry->in_c;
  for (size_t i = 0; i < t.count; i++, at.Next()) {
    const uint8_t* pixels[kWinogradProducts];
    at.FindWindow(t.x, t.outside, pixels);
    int16_t* v = t.v + i * t.pitch;
    for (size_t c = 0; c < channels; c += kWords) {
      typename W::Int d[kWinogradProducts];
      LOWP_UNROLL for (size_t p = 0; p < kWinogradProducts; p++) d[p] = W::WidenBytes(W::LoadHalf(pixels[p] + c));
      LOWP_UNROLL for (int k = 0; k < 4; k++) TransformLine<W>(d[k], d[4 + k], d[8 + k], d[12 + k]);
      LOWP_UNROLL for (int k = 0; k < 4; k++) TransformLine<W>(d[4 * k], d[4 * k + 1], d[4 * k + 2], d[4 * k + 3]);
      LOWP_UNROLL for (size_t p = 0; p < kWinogradProducts; p++) W::Store(v + p * t.product_pitch + c, d[p]);
    }
  }
}

// A' m for one column of products.
template <class W, class Int = typename W::Int>
LOWP_INLINE void SumLine(Int m0, Int m1, Int m2, Int m3, Int* first, Int* second) {
  *first = W::AddInts(W::AddInts(m0, m1), m2);
  *second = W::SubInts(W::SubInts(m1, m2), m3);
}

// y[2 * row + column], the sums over taps.
template <class W, class Int = typename W::Int>
LOWP_INLINE void SumProducts(const int32_t* m, size_t pitch, Int (&y)[4]) {
  Int upper[4], lower[4];
  LOWP_UNROLL for (size_t i = 0; i < 4; i++) {
    SumLine<W>(W::Load(m + i * pitch), W::Load(m + (4 + i) * pitch), W::Load(m + (8 + i) * pitch),
               W::Load(m + (12 + i) * pitch), &upper[i], &lower[i]);
  }
  SumLine<W>(upper[0], upper[1], upper[2], upper[3], &y[0], &y[1]);
  SumLine<W>(lower[0], lower[1], lower[2], lower[3], &y[2], &y[3]);
  LOWP_UNROLL for (int k = 0; k < 4; k++) y[k] = W::template ShiftRightInts<2>(y[k]);
}

// Stores R pixels of a line, the first of which is output pixel `pixel`.
template <class W, int R, int V>
LOWP_INLINE void FinishLine(const WinogradByteOutput& t, const typename W::Int (&sums)[V][4], int line, size_t pixel) {
  typename W::Float v[R][V];
  LOWP_UNROLL for (int j = 0; j < V; j++) {
    const size_t n = t.n + j * W::kLanes;
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      const auto acc = W::AddInts(sums[j][2 * line + i], W::Load(t.initial + n));
      v[i][j] = EpilogueScale(acc, W::LoadFloat(t.epilogue->scale + n), W::LoadFloat(t.epilogue->bias + n));
    }
  }
  TileStore store;
  store.n = t.n;
  store.columns = t.columns;
  store.y = t.y + pixel * t.y_stride;
  store.y_stride = t.y_stride;
  store.residual = t.residual + pixel * t.residual_stride;
  store.residual_stride = t.residual_stride;
  FinishTile(*t.epilogue, v, store);
}

template <class W, int V>
void StoreTiles(const WinogradByteOutput& t) {
  const WinogradGeometry& g = *t.geometry;
  TileWalk at(g, t.first);
  for (size_t i = 0; i < t.count; i++, at.Next()) {
    typename W::Int sums[V][4];
    LOWP_UNROLL for (int j = 0; j < V; j++)
      SumProducts<W>(t.m + (i * V + j) * W::kLanes, t.product_pitch, sums[j]);
    for (size_t line = 0; line < at.rows(); line++) {
      const size_t pixel = at.pixel() + line * g.out_w;
      if (at.columns() == 2) FinishLine<W, 2, V>(t, sums, static_cast<int>(line), pixel);
      else FinishLine<W, 1, V>(t, sums, static_cast<int>(line), pixel);
    }
  }
}

template <class W>
void TransformSums(const WinogradByteOutput& t) {
  if (t.vectors == 1) return StoreTiles<W, 1>(t);
  if (t.vectors == 2) return StoreTiles<W, 2>(t);
  if constexpr (W::kLanes == 16) return t.vectors == 3 ? StoreTiles<W, 3>(t) : StoreTiles<W, 4>(t);
}

}  // namespace
}  // namespace lowp
