// The integer gemm row for AMX: tile registers of 16 rows x 64 bytes, products of 16 x 16 sums by 64 elements.
//
// A block is 32 x 32 sums in four tiles. Panels are packed as for VNNI (kQuads): 16 steps of a vector are one tile of
// weights. tdpbusd wraps in 32 bits and never saturates, so its sums are those of every other row.
#if defined(__x86_64__)
#include "kernels/gemm/vnni_math.h"

namespace lowp {
namespace {

constexpr size_t kTileRows = 16;   // rows of x, and steps of weights
constexpr size_t kTileBytes = 64;  // of a row of x, and of a vector of weights or sums
constexpr uint32_t kTileSteps = kTileBytes / 4;

// Operand of ldtilecfg, palette 1 (Intel SDM volume 1, section 18.2).
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// gcc 12 does not know that the tile instructions read memory.
LOWP_INLINE void BeforeTileLoads() { asm volatile("" ::: "memory"); }

void Enter() {
  TileConfig config;
  for (int i = 0; i < 8; i++) config.row_bytes[i] = kTileBytes, config.rows[i] = kTileRows;
  BeforeTileLoads();
  _tile_loadconfig(&config);
}

void Leave() { _tile_release(); }

struct Sums {
  alignas(64) int32_t values[2 * kTileRows][32];
};

// x of two tiles of rows; a block of one tile leaves the second alone.
struct BlockRows {
  const uint8_t* x[2];
  size_t distance;
};

// Tiles 0 to 3 are the sums [rows][vector], 4 and 5 x, 6 and 7 weights.
template <int M, int V>
LOWP_INLINE void StartSums(const int32_t* initial) {
  _tile_loadd(0, initial, 0);
  if constexpr (V > 1) _tile_loadd(1, initial + 16, 0);
  if constexpr (M > 1) _tile_loadd(2, initial, 0);
  if constexpr (M > 1 && V > 1) _tile_loadd(3, initial + 16, 0);
}

template <int M, int V>
LOWP_INLINE void AddProducts(const BlockRows& rows, int64_t offset, const uint8_t* weights) {
  _tile_loadd(6, weights, V * kTileBytes);
  _tile_loadd(4, rows.x[0] + offset, rows.distance);
  if constexpr (V > 1) _tile_loadd(7, weights + kTileBytes, V * kTileBytes);
  _tile_dpbusd(0, 4, 6);
  if constexpr (V > 1) _tile_dpbusd(1, 4, 7);
  if constexpr (M > 1) {
    _tile_loadd(5, rows.x[1] + offset, rows.distance);
    _tile_dpbusd(2, 5, 6);
    if constexpr (V > 1) _tile_dpbusd(3, 5, 7);
  }
}

template <int M, int V>
LOWP_INLINE void StoreSums(Sums* sums) {
  _tile_stored(0, sums->values[0], sizeof(sums->values[0]));
  if constexpr (V > 1) _tile_stored(1, sums->values[0] + 16, sizeof(sums->values[0]));
  if constexpr (M > 1) _tile_stored(2, sums->values[kTileRows], sizeof(sums->values[0]));
  if constexpr (M > 1 && V > 1) _tile_stored(3, sums->values[kTileRows] + 16, sizeof(sums->values[0]));
}

template <int R, int V>
LOWP_INLINE void FinishRows(const PanelTask& t, const int32_t (*sums)[32], size_t row) {
  __m512i acc[R][V];
  LOWP_UNROLL for (int i = 0; i < R; i++) {
    LOWP_UNROLL for (int j = 0; j < V; j++) {
      acc[i][j] = _mm512_load_si512(sums[i] + j * 16);
      if (t.row_initial) acc[i][j] = _mm512_add_epi32(acc[i][j], _mm512_set1_epi32(t.row_initial[row + i]));
    }
  }
  FinishVectors<IntegerMath, 0, V>(t, row, acc);
}

// Rows [row, row + count) of the task from their sums.
template <int V>
LOWP_INLINE void Finish(const PanelTask& t, const int32_t (*sums)[32], size_t row, size_t count) {
  for (; count >= 8; count -= 8, row += 8, sums += 8) FinishRows<8, V>(t, sums, row);
  for (; count > 0; count--, row++, sums++) FinishRows<1, V>(t, sums, row);
}

// Tiles of rows from starts[0] and starts[1] on; rows before `row` are there already.
template <int M, int V>
void RunBlock(const PanelTask& t, const size_t (&starts)[2], size_t row, FetchShare fetch) {
  const BlockRows rows = {{t.rows[starts[0]] + t.row_offset, t.rows[starts[M - 1]] + t.row_offset},
                          static_cast<size_t>(t.rows[1] - t.rows[0])};
  BeforeTileLoads();
  StartSums<M, V>(t.initial);
  const uint8_t* weights = t.weights;
  size_t tiles = 0;
  for (const Segment *s = t.segments, *end = s + t.segment_count; s != end; s++) tiles += s->steps / kTileSteps;
  const size_t share = (fetch.bytes / (tiles > 0 ? tiles : 1) + 63) & ~size_t{63};
  const uint8_t *next = fetch.from, *last = fetch.from + fetch.bytes;
  for (const Segment *s = t.segments, *end = s + t.segment_count; s != end; s++) {
    const int64_t stop = s->offset + static_cast<int64_t>(s->steps * 4);
    for (int64_t offset = s->offset; offset < stop; offset += kTileBytes, weights += V * kTileBytes * kTileRows) {
      for (const uint8_t* to = next + share; next < to && next < last; next += 64) __builtin_prefetch(next, 0, 2);
      AddProducts<M, V>(rows, offset, weights);
    }
  }
  Sums sums;
  StoreSums<M, V>(&sums);
  Finish<V>(t, sums.values + (row - starts[0]), row, starts[0] + kTileRows - row);
  if constexpr (M > 1) {
    const size_t first = starts[0] + kTileRows;
    Finish<V>(t, sums.values + kTileRows + (first - starts[1]), first, starts[1] + kTileRows - first);
  }
}

// A last tile that would be short of rows begins earlier instead; what it computes twice is not stored twice, because
// y may lie where the residual was.
template <int V>
void RunBlocks(const PanelTask& t) {
  const size_t blocks = (t.m + 2 * kTileRows - 1) / (2 * kTileRows), last_start = t.m - kTileRows;
  const size_t share = (t.next_bytes / blocks + 63) & ~size_t{63};
  size_t begin = 0;
  for (size_t row = 0; row < t.m; row += 2 * kTileRows) {
    const size_t end = begin + share < t.next_bytes ? begin + share : t.next_bytes;
    const FetchShare fetch = {t.next + begin, end - begin};
    const size_t first = row < last_start ? row : last_start, second = row + kTileRows;
    const size_t starts[2] = {first, second < last_start ? second : last_start};
    if (second < t.m) {
      RunBlock<2, V>(t, starts, row, fetch);
    } else {
      RunBlock<1, V>(t, starts, row, fetch);
    }
    begin = end;
  }
}

void RunTask(const PanelTask& t) {
  if (t.m < kTileRows) return RunPanel<VnniMath, 2>(t);
  if (t.vectors == 1) return RunBlocks<1>(t);
  RunBlocks<2>(t);
}

// Whole vectors are copied; what they write behind a run is overwritten by the next one.
void Gather(const GatherTask& t) {
  uint8_t* to = t.to;
  for (size_t i = 0; i < t.count; i++, to += t.pitch) {
    const uint8_t* from = t.rows[i];
    t.rows[i] = to;
    for (const GatherRun *run = t.runs, *end = run + t.run_count; run != end; run++) {
      for (size_t byte = 0; byte < run->bytes; byte += 64)
        _mm512_storeu_si512(to + run->to + byte, _mm512_loadu_si512(from + run->offset + byte));
    }
  }
}

}  // namespace

const GemmRow gemm_u8s8_amx_32x32 = {.name = "gemm_u8s8_amx_32x32",
                                     .isa = Isa::kAmx,
                                     .packing = Packing::kQuads,
                                     .lanes = 16,
                                     .most_vectors = 2,
                                     .thin_vectors = 2,
                                     .most_rows = 2 * kTileRows,
                                     .run = RunTask,
                                     .fewest_rows = kTileRows,
                                     .unit_steps = kTileSteps,
                                     .gather = Gather,
                                     .enter = Enter,
                                     .leave = Leave};

}  // namespace lowp
#endif
