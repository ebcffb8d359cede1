// Register tiles of `matmul_s16`: rows x vectors sums. For ISA files only.
//
// A Math has kLanes lanes of 4 bytes, Ints, Floats, Doubles (the lanes as two vectors of f64), and
//   Dot(acc, x, w)        acc + x0 * w0 + x1 * w1 in each lane
//   Fold(acc, high, low)  adds the halves of acc to the two sums
//   Total(high, low)      high * 2^16 + low + 2^31 as doubles: exact, being below 2^53
#pragma once
#include "kernels/matmul_s16/rows.h"
#include "simd/inline.h"

namespace lowp {
namespace {

template <class Math, int R, int V>
LOWP_INLINE void StoreFloats(const S16Task& t, size_t row, const typename Math::Doubles (&total)[R][V]) {
  typename Math::Floats v[R][V];
  LOWP_UNROLL for (int j = 0; j < V; j++) {
    const size_t n = t.n + static_cast<size_t>(j) * Math::kLanes;
    const float *scale = t.epilogue->scale + n, *bias = t.epilogue->bias + n;
    LOWP_UNROLL for (int i = 0; i < R; i++) v[i][j] = Math::Scale(total[i][j], scale, bias);
  }
  TileStore store;
  store.n = t.n;
  store.columns = t.columns;
  store.y_stride = t.y_stride * sizeof(float);
  store.y = static_cast<uint8_t*>(t.y) + row * store.y_stride;
  store.residual_stride = t.residual_stride * sizeof(float);
  store.residual = static_cast<const uint8_t*>(t.residual) + row * store.residual_stride;
  FinishTile(*t.epilogue, v, store);
}

template <class Math, int R, int V>
LOWP_INLINE void StoreInts(const S16Task& t, size_t row, const typename Math::Doubles (&total)[R][V]) {
  LOWP_UNROLL for (int i = 0; i < R; i++) {
    int32_t* y = static_cast<int32_t*>(t.y) + (row + i) * t.y_stride;
    const int32_t* residual = static_cast<const int32_t*>(t.residual) + (row + i) * t.residual_stride;
    LOWP_UNROLL for (int j = 0; j < V; j++) {
      const size_t lane = static_cast<size_t>(j) * Math::kLanes;
      typename Math::Doubles v = Math::Add(total[i][j], t.bias + t.n + lane);
      if (t.residual) v = Math::Add(v, residual + lane);
      Math::Store(y + lane, Math::Saturate(v), t.columns - lane);
    }
  }
}

template <class Math, int R, int V>
void RunTile(const S16Task& t, size_t row) {
  using Ints = typename Math::Ints;
  Ints high[R][V], low[R][V];
  LOWP_UNROLL for (int i = 0; i < R; i++) {
    LOWP_UNROLL for (int j = 0; j < V; j++) high[i][j] = Math::Set(0), low[i][j] = Math::Set(INT32_MIN);
  }
  const int16_t* weights = t.weights;
  for (const S16Block *b = t.blocks, *end = b + t.block_count; b != end; b++) {
    const int16_t* x[R];
    Ints acc[R][V];
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      x[i] = t.x + (row + i) * t.x_stride + size_t{b->first} * 2;
      LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = Math::Set(0);
    }
    const size_t elements = size_t{b->steps} * 2;
    for (size_t k = 0; k < elements; k += 2, weights += V * Math::kLanes * 2) {
      Ints w[V];
      LOWP_UNROLL for (int j = 0; j < V; j++) w[j] = Math::Load(weights + j * Math::kLanes * 2);
      LOWP_UNROLL for (int i = 0; i < R; i++) {
        const Ints pair = Math::Broadcast(x[i] + k);
        LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = Math::Dot(acc[i][j], pair, w[j]);
      }
    }
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      LOWP_UNROLL for (int j = 0; j < V; j++) Math::Fold(acc[i][j], &high[i][j], &low[i][j]);
    }
  }
  typename Math::Doubles total[R][V];
  LOWP_UNROLL for (int i = 0; i < R; i++) {
    LOWP_UNROLL for (int j = 0; j < V; j++) total[i][j] = Math::Total(high[i][j], low[i][j]);
  }
  if (t.epilogue) {
    StoreFloats<Math>(t, row, total);
  } else {
    StoreInts<Math>(t, row, total);
  }
}

// Tiles of R rows, the rest of the task row by row.
template <class Math, int R, int V>
void RunRows(const S16Task& t) {
  size_t row = 0;
  for (; row + R <= t.m; row += R) RunTile<Math, R, V>(t, row);
  for (; row < t.m; row++) RunTile<Math, 1, V>(t, row);
}

template <class Math, int R>
void RunPanel(const S16Task& t) {
  if (t.vectors == 1) return RunRows<Math, R, 1>(t);
  RunRows<Math, R, 2>(t);
}

}  // namespace
}  // namespace lowp
