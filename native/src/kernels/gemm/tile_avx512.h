// Register tiles of AVX-512: rows x vectors accumulators, shared by the f32 and the integer rows. For ISA files only.
//
// Math supplies
//   Acc                              a vector of sums
//   Start(task, row, vector)         its first value
//   kSorted                          false: Step goes along the segments
//   Step<R, V>(acc, x, k, weights)   one step: 4 bytes at x[i] + k of every row against V * 64 bytes of weights
//   Accumulate<R, V>(task, row, acc) if kSorted, instead of Step: all products
//   Scale(task, acc, lane)           the sum as scaled f32, lane being the channel counted from the panel's first
//   Suspend<R, V>(task, row, acc)    true when the sums went to memory instead
#pragma once
#include "kernels/common/epilogue_avx512.h"
#include "kernels/gemm/run_tiles.h"

namespace lowp {
namespace {

struct FloatMath {
  static constexpr bool kSorted = false;
  using Acc = __m512;

  static LOWP_INLINE __m512 Start(const PanelTask& t, size_t row, int vector) {
    return t.resume ? _mm512_loadu_ps(t.partial + (row * t.vectors + vector) * 16) : _mm512_setzero_ps();
  }

  template <int R, int V>
  static LOWP_INLINE void Step(__m512 (&acc)[R][V], const uint8_t* const (&x)[R], size_t k, const uint8_t* weights) {
    __m512 w[V];
    LOWP_UNROLL for (int j = 0; j < V; j++) w[j] = _mm512_load_ps(weights + j * 64);
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      const __m512 value = _mm512_set1_ps(*reinterpret_cast<const float*>(x[i] + k));
      LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = _mm512_fmadd_ps(value, w[j], acc[i][j]);
    }
  }

  static LOWP_INLINE __m512 Scale(const PanelTask& t, __m512 acc, int lane) {
    return _mm512_add_ps(acc, _mm512_loadu_ps(t.epilogue->bias + t.n + lane));
  }

  template <int R, int V>
  static LOWP_INLINE bool Suspend(const PanelTask& t, size_t row, __m512 (&acc)[R][V]) {
    if (!t.suspend) return false;
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      LOWP_UNROLL for (int j = 0; j < V; j++) _mm512_storeu_ps(t.partial + ((row + i) * V + j) * 16, acc[i][j]);
    }
    return true;
  }
};

// What the integer rows share; each adds its Step.
struct IntegerMath {
  static constexpr bool kSorted = false;
  using Acc = __m512i;

  static LOWP_INLINE __m512i Start(const PanelTask& t, size_t row, int vector) {
    const __m512i initial = _mm512_loadu_si512(t.initial + vector * 16);
    return t.row_initial ? _mm512_add_epi32(initial, _mm512_set1_epi32(t.row_initial[row])) : initial;
  }

  static LOWP_INLINE __m512 Scale(const PanelTask& t, __m512i acc, int lane) {
    const size_t n = t.n + static_cast<size_t>(lane);
    return EpilogueScale(acc, _mm512_loadu_ps(t.epilogue->scale + n), _mm512_loadu_ps(t.epilogue->bias + n));
  }

  template <int R, int V>
  static LOWP_INLINE bool Suspend(const PanelTask&, size_t, __m512i (&)[R][V]) {
    return false;
  }

  static LOWP_INLINE __m512i Broadcast(const uint8_t* x) {
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    return _mm512_set1_epi32(four);
  }
};

// The epilogue of kCount vectors from kFirst on: a store is at most 64 bytes.
template <class Math, int kFirst, int kCount, int R, int V>
LOWP_INLINE void FinishVectors(const PanelTask& t, size_t row, typename Math::Acc (&acc)[R][V]) {
  __m512 v[R][kCount];
  LOWP_UNROLL for (int j = 0; j < kCount; j++) {
    LOWP_UNROLL for (int i = 0; i < R; i++) v[i][j] = Math::Scale(t, acc[i][kFirst + j], (kFirst + j) * 16);
  }
  const size_t left = t.columns - kFirst * 16;
  TileStore store;
  store.n = t.n + kFirst * 16;
  store.columns = kFirst + kCount < V ? kCount * 16 : left;
  store.y = t.y + row * t.y_stride + kFirst * 16 * (t.epilogue->u8_output ? 1 : 4);
  store.y_stride = t.y_stride;
  store.residual = t.residual + row * t.residual_stride;
  store.residual_stride = t.residual_stride;
  if (t.epilogue->residual != ResidualKind::kNone)
    store.residual += kFirst * 16 * (t.epilogue->residual == ResidualKind::kU8 ? 1 : 4);
  FinishTile(*t.epilogue, v, store);
}

template <class Math, int R, int V, class FetchPolicy>
LOWP_INLINE void AddSegments(const PanelTask& t, size_t row, FetchPolicy fetch, typename Math::Acc (&acc)[R][V]) {
  const uint8_t* weights = t.weights;
  for (const Segment *s = t.segments, *end = s + t.segment_count; s != end; s++) {
    const uint8_t* x[R];
    LOWP_UNROLL for (int i = 0; i < R; i++) x[i] = t.rows[row + i] + t.row_offset + s->offset;
    const size_t bytes = s->steps * 4, pairs = bytes & ~size_t{7};
    size_t k = 0;
    for (; k < pairs; k += 8, weights += 2 * V * 64) {
      Math::template Step<R, V>(acc, x, k, weights);
      fetch.Step();
      Math::template Step<R, V>(acc, x, k + 4, weights + V * 64);
      fetch.Step();
    }
    if (k == bytes) continue;
    Math::template Step<R, V>(acc, x, k, weights);
    fetch.Step();
    weights += V * 64;
  }
}

template <class Math, int R, int V>
void RunTile(const PanelTask& t, size_t row, FetchShare fetch) {
  typename Math::Acc acc[R][V];
  LOWP_UNROLL for (int i = 0; i < R; i++) {
    LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = Math::Start(t, row + i, j);
  }
  if constexpr (Math::kSorted) {
    Fetch(fetch);
    Math::template Accumulate<R, V>(t, row, acc);
  } else if (fetch.bytes > 0) {
    AddSegments<Math>(t, row, SteadyFetch(t, fetch), acc);
  } else {
    AddSegments<Math>(t, row, NoFetch(), acc);
  }
  if (Math::template Suspend<R, V>(t, row, acc)) return;
  FinishVectors<Math, 0, (V > 4 ? 4 : V)>(t, row, acc);
  if constexpr (V > 4) FinishVectors<Math, 4, V - 4>(t, row, acc);
}

template <class Math, int V>
struct Tiles;

template <class Math>
struct Tiles<Math, 1> {
  static constexpr TileFunction kByRows[] = {RunTile<Math, 1, 1>, RunTile<Math, 2, 1>,  RunTile<Math, 3, 1>,
                                             RunTile<Math, 4, 1>, RunTile<Math, 5, 1>,  RunTile<Math, 6, 1>,
                                             RunTile<Math, 7, 1>, RunTile<Math, 8, 1>,  RunTile<Math, 9, 1>,
                                             RunTile<Math, 10, 1>, RunTile<Math, 11, 1>, RunTile<Math, 12, 1>};
  static constexpr size_t kMost = 12;
};

template <class Math>
struct Tiles<Math, 2> {
  static constexpr TileFunction kByRows[] = {RunTile<Math, 1, 2>, RunTile<Math, 2, 2>,  RunTile<Math, 3, 2>,
                                             RunTile<Math, 4, 2>, RunTile<Math, 5, 2>,  RunTile<Math, 6, 2>,
                                             RunTile<Math, 7, 2>, RunTile<Math, 8, 2>,  RunTile<Math, 9, 2>,
                                             RunTile<Math, 10, 2>, RunTile<Math, 11, 2>, RunTile<Math, 12, 2>};
  static constexpr size_t kMost = 12;
};

template <class Math>
struct Tiles<Math, 3> {
  static constexpr TileFunction kByRows[] = {RunTile<Math, 1, 3>, RunTile<Math, 2, 3>, RunTile<Math, 3, 3>,
                                             RunTile<Math, 4, 3>, RunTile<Math, 5, 3>, RunTile<Math, 6, 3>,
                                             RunTile<Math, 7, 3>, RunTile<Math, 8, 3>};
  static constexpr size_t kMost = 8;
};

template <class Math>
struct Tiles<Math, 4> {
  static constexpr TileFunction kByRows[] = {RunTile<Math, 1, 4>, RunTile<Math, 2, 4>, RunTile<Math, 3, 4>,
                                             RunTile<Math, 4, 4>, RunTile<Math, 5, 4>, RunTile<Math, 6, 4>};
  static constexpr size_t kMost = 6;
};

// Panels of a single row.
template <class Math>
struct Thin {
  static constexpr TileFunction kByVectors[] = {RunTile<Math, 1, 3>, RunTile<Math, 1, 4>, RunTile<Math, 1, 5>,
                                                RunTile<Math, 1, 6>, RunTile<Math, 1, 7>, RunTile<Math, 1, 8>};
};

template <class Math, int kMostVectors>
void RunPanel(const PanelTask& t) {
  if (t.vectors > kMostVectors) return Thin<Math>::kByVectors[t.vectors - 3](t, 0, FetchShare{});
  if (t.vectors == 1) return RunTiles(t, Tiles<Math, 1>::kByRows, Tiles<Math, 1>::kMost);
  if (t.vectors == 2) return RunTiles(t, Tiles<Math, 2>::kByRows, Tiles<Math, 2>::kMost);
  if constexpr (kMostVectors > 2) {
    if (t.vectors == 3) return RunTiles(t, Tiles<Math, 3>::kByRows, Tiles<Math, 3>::kMost);
    return RunTiles(t, Tiles<Math, 4>::kByRows, Tiles<Math, 4>::kMost);
  }
}

}  // namespace
}  // namespace lowp
