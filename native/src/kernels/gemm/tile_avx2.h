// Register tiles of AVX2: rows x vectors accumulators, shared by the f32 and the integer rows, with a Math as in
// tile_avx512.h. For ISA files only.
#pragma once
#include "kernels/common/epilogue_avx2.h"
#include "kernels/gemm/run_tiles.h"

namespace lowp {
namespace {

struct FloatMath {
  static constexpr bool kSorted = false;
  using Acc = __m256;

  static LOWP_INLINE __m256 Start(const PanelTask& t, size_t row, int vector) {
    return t.resume ? _mm256_loadu_ps(t.partial + (row * t.vectors + vector) * 8) : _mm256_setzero_ps();
  }

  template <int R, int V>
  static LOWP_INLINE void Step(__m256 (&acc)[R][V], const uint8_t* const (&x)[R], size_t k, const uint8_t* weights) {
    __m256 w[V];
    LOWP_UNROLL for (int j = 0; j < V; j++) w[j] = _mm256_load_ps(reinterpret_cast<const float*>(weights) + j * 8);
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      const __m256 value = _mm256_broadcast_ss(reinterpret_cast<const float*>(x[i] + k));
      LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = _mm256_fmadd_ps(value, w[j], acc[i][j]);
    }
  }

  static LOWP_INLINE __m256 Scale(const PanelTask& t, __m256 acc, int lane) {
    return _mm256_add_ps(acc, _mm256_loadu_ps(t.epilogue->bias + t.n + lane));
  }

  template <int R, int V>
  static LOWP_INLINE bool Suspend(const PanelTask& t, size_t row, __m256 (&acc)[R][V]) {
    if (!t.suspend) return false;
    LOWP_UNROLL for (int i = 0; i < R; i++) {
      LOWP_UNROLL for (int j = 0; j < V; j++) _mm256_storeu_ps(t.partial + ((row + i) * V + j) * 8, acc[i][j]);
    }
    return true;
  }
};

// What the integer rows share; each adds its Step.
struct IntegerMath {
  static constexpr bool kSorted = false;
  using Acc = __m256i;

  static LOWP_INLINE __m256i Start(const PanelTask& t, size_t row, int vector) {
    const __m256i initial = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(t.initial + vector * 8));
    return t.row_initial ? _mm256_add_epi32(initial, _mm256_set1_epi32(t.row_initial[row])) : initial;
  }

  static LOWP_INLINE __m256 Scale(const PanelTask& t, __m256i acc, int lane) {
    const size_t n = t.n + static_cast<size_t>(lane);
    return EpilogueScale(acc, _mm256_loadu_ps(t.epilogue->scale + n), _mm256_loadu_ps(t.epilogue->bias + n));
  }

  template <int R, int V>
  static LOWP_INLINE bool Suspend(const PanelTask&, size_t, __m256i (&)[R][V]) {
    return false;
  }
};

template <class Math, int R, int V>
LOWP_INLINE void FinishVectors(const PanelTask& t, size_t row, typename Math::Acc (&acc)[R][V]) {
  __m256 v[R][V];
  LOWP_UNROLL for (int j = 0; j < V; j++) {
    LOWP_UNROLL for (int i = 0; i < R; i++) v[i][j] = Math::Scale(t, acc[i][j], j * 8);
  }
  TileStore store;
  store.n = t.n;
  store.columns = t.columns;
  store.y = t.y + row * t.y_stride;
  store.y_stride = t.y_stride;
  store.residual = t.residual + row * t.residual_stride;
  store.residual_stride = t.residual_stride;
  FinishTile(*t.epilogue, v, store);
}

template <class Math, int R, int V, class FetchPolicy>
LOWP_INLINE void AddSegments(const PanelTask& t, size_t row, FetchPolicy fetch, typename Math::Acc (&acc)[R][V]) {
  const uint8_t* weights = t.weights;
  for (const Segment *s = t.segments, *end = s + t.segment_count; s != end; s++) {
    const uint8_t* x[R];
    LOWP_UNROLL for (int i = 0; i < R; i++) x[i] = t.rows[row + i] + t.row_offset + s->offset;
    const size_t bytes = s->steps * 4;
    for (size_t k = 0; k < bytes; k += 4, weights += V * 32) {
      Math::template Step<R, V>(acc, x, k, weights);
      fetch.Step();
    }
  }
}

template <class Math, int R, int V, class FetchPolicy>
[[gnu::noinline]] void RunTileWith(const PanelTask& t, size_t row, FetchPolicy fetch) {
  typename Math::Acc acc[R][V];
  LOWP_UNROLL for (int i = 0; i < R; i++) {
    LOWP_UNROLL for (int j = 0; j < V; j++) acc[i][j] = Math::Start(t, row + i, j);
  }
  if constexpr (Math::kSorted) {
    Math::template Accumulate<R, V>(t, row, acc);
  } else {
    AddSegments<Math>(t, row, fetch, acc);
  }
  if (Math::template Suspend<R, V>(t, row, acc)) return;
  FinishVectors<Math>(t, row, acc);
}

// With the loop that fetches and the one that does not in one function, gcc spills accumulators.
template <class Math, int R, int V>
void RunTile(const PanelTask& t, size_t row, FetchShare fetch) {
  if constexpr (Math::kSorted) {
    Fetch(fetch);
  } else if (fetch.bytes > 0) {
    return RunTileWith<Math, R, V>(t, row, SteadyFetch(t, fetch));
  }
  RunTileWith<Math, R, V>(t, row, NoFetch());
}

template <class Math, int V>
struct Tiles {
  static constexpr TileFunction kByRows[] = {RunTile<Math, 1, V>, RunTile<Math, 2, V>, RunTile<Math, 3, V>,
                                             RunTile<Math, 4, V>, RunTile<Math, 5, V>, RunTile<Math, 6, V>};
};

// Panels of a single row.
template <class Math>
struct Thin {
  static constexpr TileFunction kByVectors[] = {RunTile<Math, 1, 3>, RunTile<Math, 1, 4>, RunTile<Math, 1, 5>,
                                                RunTile<Math, 1, 6>, RunTile<Math, 1, 7>, RunTile<Math, 1, 8>};
};

// Panels of two or three rows. Four sums by two rows would wait for each other's fma.
template <class Math>
struct Few {
  static constexpr TileFunction kByRows[2][2] = {{RunTile<Math, 2, 3>, RunTile<Math, 2, 4>},
                                                 {RunTile<Math, 3, 3>, RunTile<Math, 3, 4>}};
};

// kFew: the row has few_vectors 4.
template <class Math, bool kFew = false>
void RunPanel(const PanelTask& t) {
  if constexpr (kFew) {
    if (t.vectors > 2 && t.m > 1) return Few<Math>::kByRows[t.m - 2][t.vectors - 3](t, 0, FetchShare{});
  }
  if (t.vectors > 2) return Thin<Math>::kByVectors[t.vectors - 3](t, 0, FetchShare{});
  RunTiles(t, t.vectors == 1 ? Tiles<Math, 1>::kByRows : Tiles<Math, 2>::kByRows, 6);
}

}  // namespace
}  // namespace lowp
