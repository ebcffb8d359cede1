// The integer gemm row for AMX: tile registers of 16 rows x 64 bytes, products of 16 x 16 sums by 64 elements.
//
// A block is 32 rows x up to 64 columns, two vectors of columns at a time: 32 x 32 sums in four tiles. Panels are packed
// as for VNNI (kQuads): 16 steps of a vector are one tile of weights. tdpbusd wraps in 32 bits and never saturates, so
// its sums are those of every other row.
#if defined(__x86_64__)
#include "cpu/tile_config.h"
#include "kernels/gemm/tile_avx512.h"

namespace lowp {
namespace {

constexpr size_t kTileRows = 16;   // rows of x at most, and steps of weights
constexpr size_t kTileBytes = 64;  // of a row of x, and of a vector of weights or sums
constexpr uint32_t kTileSteps = kTileBytes / 4;

// gcc 12 does not know that the tile instructions read memory.
LOWP_INLINE void BeforeTileLoads() { asm volatile("" ::: "memory"); }

// Tiles of sums and of x get so many rows: lines of 14 pixels are tiles of 14 rows.
void Enter(size_t tile_rows) {
  TileConfig config;
  for (size_t tile = 0; tile < 6; tile++) config.rows[tile] = static_cast<uint8_t>(tile_rows);
  BeforeTileLoads();
  _tile_loadconfig(&config);
}

void Leave() { _tile_release(); }

// Sums of a block, by row; those of the second tile of rows from row 16 on.
struct Sums {
  alignas(64) int32_t values[2 * kTileRows][64];
};
constexpr size_t kSumsRow = sizeof(Sums::values[0]);

// x of two tiles of rows; a block of one tile leaves the second alone.
struct BlockRows {
  const uint8_t* x[2];
  size_t distance;
};

// M tiles of rows by V vectors, V at most 2. Tiles 0 to 3 are the sums [rows][vector], 4 and 5 x, 6 and 7 weights.
template <int M, int V>
struct TileBlock {
  static LOWP_INLINE void Start() {
    _tile_zero(0);
    if constexpr (V > 1) _tile_zero(1);
    if constexpr (M > 1) _tile_zero(2);
    if constexpr (M > 1 && V > 1) _tile_zero(3);
  }

  static LOWP_INLINE void Add(const BlockRows& rows, int64_t offset, const uint8_t* weights, size_t weights_distance) {
    _tile_loadd(4, rows.x[0] + offset, rows.distance);
    _tile_loadd(6, weights, weights_distance);
    _tile_dpbusd(0, 4, 6);
    if constexpr (V > 1) _tile_loadd(7, weights + kTileBytes, weights_distance);
    if constexpr (V > 1) _tile_dpbusd(1, 4, 7);
    if constexpr (M > 1) _tile_loadd(5, rows.x[1] + offset, rows.distance);
    if constexpr (M > 1) _tile_dpbusd(2, 5, 6);
    if constexpr (M > 1 && V > 1) _tile_dpbusd(3, 5, 7);
  }

  static LOWP_INLINE void Store(Sums* sums, size_t column) {
    _tile_stored(0, sums->values[0] + column, kSumsRow);
    if constexpr (V > 1) _tile_stored(1, sums->values[0] + column + 16, kSumsRow);
    if constexpr (M > 1) _tile_stored(2, sums->values[kTileRows] + column, kSumsRow);
    if constexpr (M > 1 && V > 1) _tile_stored(3, sums->values[kTileRows] + column + 16, kSumsRow);
  }
};

// A share of the next weights, asked for along the steps of a block.
class TileFetch {
 public:
  LOWP_INLINE TileFetch(FetchShare share, size_t steps)
      : next_(share.from),
        last_(share.from + share.bytes),
        step_((share.bytes / (steps > 0 ? steps : 1) + 63) & ~size_t{63}) {}
  LOWP_INLINE void Step() {
    for (const uint8_t* to = next_ + step_; next_ < to && next_ < last_; next_ += 64) __builtin_prefetch(next_, 0, 2);
  }

 private:
  const uint8_t *next_, *last_;
  size_t step_;
};

// The sums of vectors [vector, vector + V) of all products; `meanwhile` is called in every step.
template <int M, int V, class Meanwhile>
LOWP_INLINE void SumVectors(const PanelTask& t, const BlockRows& rows, size_t vector, Meanwhile meanwhile, Sums* sums) {
  using Block = TileBlock<M, V>;
  const size_t distance = t.vectors * kTileBytes;
  const uint8_t* weights = t.weights + vector * kTileBytes;
  BeforeTileLoads();
  Block::Start();
  for (const Segment *s = t.segments, *end = s + t.segment_count; s != end; s++) {
    const int64_t stop = s->offset + static_cast<int64_t>(s->steps * 4);
    for (int64_t offset = s->offset; offset < stop; offset += kTileBytes, weights += distance * kTileSteps) {
      meanwhile();
      Block::Add(rows, offset, weights, distance);
    }
  }
  Block::Store(sums, vector * 16);
}

template <int R, int V>
LOWP_INLINE void FinishRows(const PanelTask& t, const int32_t (*sums)[64], size_t row, size_t to) {
  __m512i acc[R][V];
  LOWP_UNROLL for (int i = 0; i < R; i++) {
    LOWP_UNROLL for (int j = 0; j < V; j++) {
      acc[i][j] = _mm512_add_epi32(_mm512_loadu_si512(t.initial + j * 16), _mm512_load_si512(sums[i] + j * 16));
      if (t.row_initial) acc[i][j] = _mm512_add_epi32(acc[i][j], _mm512_set1_epi32(t.row_initial[row + i]));
    }
  }
  FinishVectors<IntegerMath, 0, V>(t, to, acc);
}

// Goes through the rows of a task, from the first on, and finds those that are stored.
class StoredRows {
 public:
  LOWP_INLINE explicit StoredRows(const PanelTask& t) : gaps_(t.gaps) {
    if (gaps_.line == 0) return;
    x_ = t.first_row % gaps_.line;
    y_ = t.first_row / gaps_.line % gaps_.lines;
  }

  // Calls each(skipped, count, to) for the stored ones of the next `rows` rows: those behind the next `skipped` go to
  // `to`, which counts stored rows.
  template <class Each>
  LOWP_INLINE void Next(size_t rows, Each each) {
    if (gaps_.line == 0) {
      each(size_t{0}, rows, to_);
      to_ += rows;
      return;
    }
    for (size_t row = 0; row < rows;) {
      bool stored = false;
      const size_t count = gaps_.Alike(x_, y_, rows - row, &stored);
      if (stored) each(row, count, to_), to_ += count;
      row += count;
      x_ += count;
      if (x_ < gaps_.line) continue;
      x_ = 0;
      if (++y_ == gaps_.lines) y_ = 0;
    }
  }

 private:
  const RowGaps& gaps_;
  size_t x_ = 0, y_ = 0, to_ = 0;
};

// Rows whose sums are there: `count` from row `row` of the task on, to stored rows from `to` on.
struct SummedRows {
  const int32_t (*sums)[64];
  size_t row, count, to;
};

template <int V>
constexpr size_t kRowsAtOnce = V > 2 ? 4 : 8;

template <int V>
LOWP_INLINE void FinishAll(const PanelTask& t, SummedRows r) {
  constexpr size_t kRows = kRowsAtOnce<V>;
  for (; r.count >= kRows; r.count -= kRows, r.sums += kRows, r.row += kRows, r.to += kRows)
    FinishRows<kRows, V>(t, r.sums, r.row, r.to);
  for (; r.count > 0; r.count--, r.sums++, r.row++, r.to++) FinishRows<1, V>(t, r.sums, r.row, r.to);
}

// Finishes the rows of a block as soon as it is summed.
template <int V>
class FinishAtOnce {
 public:
  static constexpr size_t kBlocks = 1;  // whose sums are kept
  LOWP_INLINE explicit FinishAtOnce(const PanelTask& t) : t_(t) {}
  LOWP_INLINE void Add(const SummedRows& rows) { FinishAll<V>(t_, rows); }
  LOWP_INLINE void Begin(size_t) {}
  LOWP_INLINE void Step() {}
  LOWP_INLINE void End() {}

 private:
  const PanelTask& t_;
};

// Finishes them behind the products of the next block, so that nothing waits for what a tile has just stored. That pays
// when there is little to sum and little to keep.
template <int V>
class FinishBehind {
 public:
  static constexpr size_t kBlocks = 2;
  LOWP_INLINE explicit FinishBehind(const PanelTask& t) : t_(t) {}
  LOWP_INLINE void Add(const SummedRows& rows) { pieces_[added_++] = rows; }
  LOWP_INLINE void Begin(size_t) {}
  LOWP_INLINE void Step() {}
  LOWP_INLINE void End() {
    for (size_t i = 0; i < added_; i++) FinishAll<V>(t_, pieces_[i]);
    added_ = 0;
  }

 private:
  const PanelTask& t_;
  SummedRows pieces_[2 * kTileRows];  // of one block
  size_t added_ = 0;
};

// Finishes them a few at a time along the steps of the next block: tiles and vectors are different units of the CPU. That
// pays when there are many steps for each piece.
template <int V>
class FinishMeanwhile {
 public:
  static constexpr size_t kBlocks = 2;
  LOWP_INLINE explicit FinishMeanwhile(const PanelTask& t) : t_(t) {}

  LOWP_INLINE void Add(const SummedRows& r) {
    for (size_t i = 0; i < r.count; i += kRowsAtOnce<V>) {
      const size_t count = r.count - i < kRowsAtOnce<V> ? r.count - i : kRowsAtOnce<V>;
      pieces_[added_++] = {r.sums + i, r.row + i, count, r.to + i};
    }
  }
  // Of a block of so many steps, in the last of which everything that was added before is done.
  LOWP_INLINE void Begin(size_t steps) {
    steps_ = steps;
    due_ = 0;
  }
  LOWP_INLINE void Step() {
    for (due_ += added_; due_ >= steps_; due_ -= steps_) FinishNext(t_, pieces_[done_++]);
  }
  LOWP_INLINE void End() {
    while (done_ < added_) FinishNext(t_, pieces_[done_++]);
    done_ = added_ = 0;
  }

 private:
  static __attribute__((noinline)) void FinishNext(const PanelTask& t, const SummedRows& piece) {
    FinishAll<V>(t, piece);
  }

  const PanelTask& t_;
  SummedRows pieces_[2 * kTileRows];  // of one block
  size_t added_ = 0, done_ = 0, steps_ = 1, due_ = 0;
};

size_t StepsOfBlock(const PanelTask& t) { return StepsOf(t) / kTileSteps * ((t.vectors + 1) / 2); }

// Tiles of rows from starts[0] and starts[1] on.
template <int M, int V, class Finish>
LOWP_INLINE void SumBlock(const PanelTask& t, Finish& finish, const size_t (&starts)[2], FetchShare share, Sums* sums) {
  const BlockRows rows = {{t.rows[starts[0]] + t.row_offset, t.rows[starts[M - 1]] + t.row_offset},
                          static_cast<size_t>(t.rows[1] - t.rows[0])};
  const size_t steps = StepsOfBlock(t);
  TileFetch fetch(share, steps);
  finish.Begin(steps);
  const auto meanwhile = [&]() __attribute__((always_inline)) {
    fetch.Step();
    finish.Step();
  };
  SumVectors<M, (V > 1 ? 2 : 1)>(t, rows, 0, meanwhile, sums);
  if constexpr (V > 2) SumVectors<M, V - 2>(t, rows, 2, meanwhile, sums);
  finish.End();
}

// A last tile that would be short of rows begins earlier instead; what it computes twice is not stored twice, because
// y may lie where the residual was.
template <int V, template <int> class Finish>
void RunBlocks(const PanelTask& t) {
  const size_t tile_rows = t.tile_rows, block_rows = 2 * tile_rows, last_start = t.m - tile_rows;
  const size_t blocks = (t.m + block_rows - 1) / block_rows;
  const size_t share = (t.next_bytes / blocks + 63) & ~size_t{63};
  StoredRows stored(t);
  Finish<V> finish(t);
  Sums sums[Finish<V>::kBlocks];
  size_t begin = 0;
  for (size_t block = 0; block < blocks; block++) {
    const size_t row = block * block_rows, second = row + tile_rows;
    const size_t end = begin + share < t.next_bytes ? begin + share : t.next_bytes;
    const FetchShare fetch = {t.next + begin, end - begin};
    const size_t starts[2] = {row < last_start ? row : last_start, second < last_start ? second : last_start};
    Sums& own = sums[block % Finish<V>::kBlocks];
    if (second < t.m) {
      SumBlock<2, V>(t, finish, starts, fetch, &own);
    } else {
      SumBlock<1, V>(t, finish, starts, fetch, &own);
    }
    const auto add = [&](size_t tile, size_t from) __attribute__((always_inline)) {
      const int32_t(*own_sums)[64] = own.values + tile * kTileRows + (from - starts[tile]);
      stored.Next(starts[tile] + tile_rows - from, [&](size_t skipped, size_t count, size_t to) {
        finish.Add({own_sums + skipped, from + skipped, count, to});
      });
    };
    add(0, row);
    if (second < t.m) add(1, starts[0] + tile_rows);
    begin = end;
  }
  finish.End();
}

// Fewer rows than a tile has go to the row for VNNI, whose panels are the same.
void RunFewRows(const PanelTask& t) {
  StoredRows stored(t);
  stored.Next(t.m, [&](size_t row, size_t count, size_t to) {
    PanelTask part = t;
    part.rows += row;
    part.m = count;
    part.y += to * t.y_stride;
    if (part.row_initial) part.row_initial += row;
    if (part.residual) part.residual += to * t.residual_stride;
    gemm_u8s8_vnni_6x64.run(part);
  });
}

void RunTask(const PanelTask& t) {
  if (t.m < t.tile_rows) return RunFewRows(t);
  constexpr size_t kManySteps = 64;  // for 8 pieces
  constexpr void (*kByVectors[][2])(const PanelTask&) = {{RunBlocks<1, FinishBehind>, RunBlocks<1, FinishMeanwhile>},
                                                         {RunBlocks<2, FinishBehind>, RunBlocks<2, FinishMeanwhile>},
                                                         {RunBlocks<3, FinishAtOnce>, RunBlocks<3, FinishMeanwhile>},
                                                         {RunBlocks<4, FinishAtOnce>, RunBlocks<4, FinishMeanwhile>}};
  kByVectors[t.vectors - 1][StepsOfBlock(t) >= kManySteps](t);
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

const GemmRow gemm_u8s8_amx_32x64 = {.name = "gemm_u8s8_amx_32x64",
                                     .isa = Isa::kAmx,
                                     .packing = Packing::kQuads,
                                     .lanes = 16,
                                     .most_vectors = 4,
                                     .thin_vectors = 4,
                                     .most_rows = 2 * kTileRows,
                                     .run = RunTask,
                                     .fewest_rows = kTileRows,
                                     .fewest_steps = 8,
                                     .unit_steps = kTileSteps,
                                     .gather = Gather,
                                     .tile_rows = kTileRows,
                                     .enter = Enter,
                                     .leave = Leave,
                                     .large_blocks = true};

}  // namespace lowp
#endif
