// Winograd's transformations of bytes and the products of words; include a kernels/gemm/tile_*.h before it, whose
// epilogue it uses. For ISA files only.
#pragma once
#include "kernels/winograd/integer_rows.h"
#include "kernels/winograd/transform.h"
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

// Windows of bytes as words.
template <class W>
struct WordLanes {
  using X = uint8_t;
  using V = int16_t;
  using Vector = typename W::Int;
  static constexpr size_t kElements = 2 * W::kLanes;
  static LOWP_INLINE Vector Load(const uint8_t* p) { return W::WidenBytes(W::LoadHalf(p)); }
  static LOWP_INLINE void Store(int16_t* p, Vector v) { W::Store(p, v); }
  static LOWP_INLINE Vector Add(Vector a, Vector b) { return W::AddWords(a, b); }
  static LOWP_INLINE Vector Sub(Vector a, Vector b) { return W::SubWords(a, b); }
};

// Their products.
template <class W>
struct IntLanes {
  using Vector = typename W::Int;
  static LOWP_INLINE Vector Add(Vector a, Vector b) { return W::AddInts(a, b); }
  static LOWP_INLINE Vector Sub(Vector a, Vector b) { return W::SubInts(a, b); }
};

// Stores R pixels of a line, the first of which is output pixel `pixel`.
template <class W, int R, int V>
LOWP_INLINE void FinishLine(const WinogradOutput<int32_t>& t, const typename W::Int (&sums)[V][4], int line, size_t pixel) {
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
void StoreTiles(const WinogradOutput<int32_t>& t) {
  const WinogradGeometry& g = *t.geometry;
  TileWalk at(g, t.first);
  for (size_t i = 0; i < t.count; i++, at.Next()) {
    typename W::Int sums[V][4];
    LOWP_UNROLL for (int j = 0; j < V; j++) {
      const int32_t* m = t.m + (i * V + j) * W::kLanes;
      SumProducts<IntLanes<W>>([&](size_t p) { return W::Load(m + p * t.product_pitch); }, sums[j]);
      LOWP_UNROLL for (int k = 0; k < 4; k++) sums[j][k] = W::template ShiftRightInts<2>(sums[j][k]);
    }
    for (size_t line = 0; line < at.rows(); line++) {
      const size_t pixel = at.pixel() + line * g.out_w;
      if (at.columns() == 2) FinishLine<W, 2, V>(t, sums, static_cast<int>(line), pixel);
      else FinishLine<W, 1, V>(t, sums, static_cast<int>(line), pixel);
    }
  }
}

template <class W>
void TransformSums(const WinogradOutput<int32_t>& t) {
  const size_t vectors = t.pitch / W::kLanes;
  if (vectors == 1) return StoreTiles<W, 1>(t);
  if (vectors == 2) return StoreTiles<W, 2>(t);
  if constexpr (W::kLanes == 16) return vectors == 3 ? StoreTiles<W, 3>(t) : StoreTiles<W, 4>(t);
}

}  // namespace
}  // namespace lowp
