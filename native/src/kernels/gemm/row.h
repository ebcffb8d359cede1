// A row of the gemm room: one register-tiled micro-kernel, the layout of the weights it wants, and its task.
//
// Everything is counted in steps of 4 bytes of x: one f32, or four u8 against four s8 weights. A panel holds
// lanes * vectors output channels; its weights are [step][vector][lanes * 4 bytes]:
//   kSingles  one f32 per lane
//   kQuads    the four s8 of a lane side by side: w0 w1 w2 w3
//   kPairs    first half of a vector's bytes w0 w2 of every lane, second half w1 w3, ready to be widened to s16
//   kProven   steps in an order of the panel's own, each in the layout of its way (StepWay)
// Integer sums are exact: vpmaddubsw adds two products in s16, so it may only meet pairs of weights that cannot
// saturate it with any x (IsSafePair). kProven sorts the steps of a panel by what is proven of their pairs.
// A float sum is one chain of fma in step order, so that a chain can be suspended to memory and resumed.
#pragma once
#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"
#include "kernels/common/epilogue.h"

namespace lowp {

enum class Packing : uint32_t { kSingles, kQuads, kPairs, kProven };

// How a step of a kProven panel is multiplied: which elements vpmaddubsw may pair, and the order of the bytes.
//   kPlain    x and quads as they are: pairs 01 and 23
//   kCrossed  x0 x2 x1 x3 against w0 w2 w1 w3
//   kNested   x0 x3 x1 x2 against w0 w3 w1 w2
//   kWide     no pairing is safe in every channel of the panel: kPairs, multiplied as s16
enum class StepWay : uint32_t { kPlain, kCrossed, kNested, kWide };
constexpr size_t kStepWays = 4;

// Element of the step in place i of a way that pairs bytes.
constexpr uint8_t kStepOrder[3][4] = {{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2}};

// True when x0 * w0 + x1 * w1 is an s16 for all x0 and x1 of 0 to 255: 255 * 128 is one, and weights of opposite signs
// never reach it together.
constexpr bool IsSafePair(int w0, int w1) { return w0 + w1 >= -128 && w0 + w1 <= 128; }

// The steps of a kProven panel: counts[way] of each way, in the order of the ways.
struct StepList {
  const int64_t* offsets = nullptr;  // bytes of x from a row's pointer, by step
  uint64_t counts[kStepWays] = {};
};

// Consecutive steps of x, at the same distance from every row's pointer.
struct Segment {
  int64_t offset = 0;  // bytes
  uint64_t steps = 0;
};

// Which rows of a task are stored, one behind the other: of every `line` rows all but [drop_begin, drop_end), of every
// `lines` lines the first `used_lines`. No line: all rows.
struct RowGaps {
  size_t line = 0;
  size_t drop_begin = 0;
  size_t drop_end = 0;
  size_t lines = SIZE_MAX;
  size_t used_lines = SIZE_MAX;

  // Rows that are stored before row `row`.
  size_t Stored(size_t row) const {
    if (line == 0) return row;
    const size_t used = line - (drop_end - drop_begin);
    const size_t at_line = row / line, x = row % line, plane = at_line / lines, y = at_line % lines;
    if (y >= used_lines) return (plane + 1) * used_lines * used;
    const size_t before = x <= drop_begin ? x : x < drop_end ? drop_begin : x - (drop_end - drop_begin);
    return (plane * used_lines + y) * used + before;
  }
  // Of line y of a plane, rows from x on, at most `most`, that are all stored or, when *stored becomes false, dropped.
  size_t Alike(size_t x, size_t y, size_t most, bool* stored) const {
    *stored = y < used_lines && (x < drop_begin || x >= drop_end);
    const size_t end = x < drop_begin ? drop_begin : x < drop_end ? drop_end : line;
    return end - x < most ? end - x : most;
  }
};

// `m` rows of x against the segments of one panel.
struct PanelTask {
  const uint8_t* const* rows = nullptr;  // [m]
  size_t m = 0;
  int64_t row_offset = 0;                // bytes added to every row
  const Segment* segments = nullptr;
  size_t segment_count = 0;
  const StepList* steps = nullptr;       // kProven: instead of the segments
  const uint8_t* weights = nullptr;      // 64-byte aligned
  const uint8_t* next = nullptr;         // what the task behind this one reads first, to be fetched meanwhile; may be null
  size_t next_bytes = 0;
  const int32_t* initial = nullptr;      // s32: the sums before the first product, [lanes * vectors]
  const int32_t* row_initial = nullptr;  // s32: what is added to them in each row, [m]; may be null
  float* partial = nullptr;              // f32: suspended sums, [m][lanes * vectors]
  bool resume = false;                   // f32: start from `partial` instead of 0
  bool suspend = false;                  // f32: leave the sums in `partial` instead of storing y
  uint32_t vectors = 0;
  size_t n = 0;                          // first output channel
  size_t columns = 0;                    // channels to store; all vectors but the last are full
  const Epilogue* epilogue = nullptr;
  RowGaps gaps;                          // for rows of the table that gather; y and residual are those of stored rows
  size_t first_row = 0;                  // where row 0 is in the gaps
  size_t tile_rows = 0;                  // of a scope (GemmRow::enter); fewer than GemmRow::tile_rows: `m` is a multiple
  uint8_t* y = nullptr;                  // row 0, channel n; strides are bytes from row to row
  size_t y_stride = 0;
  const uint8_t* residual = nullptr;
  size_t residual_stride = 0;
};

// Consecutive bytes of a row, and where they go in its copy.
struct GatherRun {
  int64_t offset = 0;  // bytes from the row's pointer
  size_t bytes = 0;
  size_t to = 0;
};

// Copies `count` rows, each to the next `pitch` bytes of `to`, and points to the copies. Up to 63 bytes behind a run are
// read, and written behind the last copy.
struct GatherTask {
  const uint8_t** rows = nullptr;
  size_t count = 0;
  const GatherRun* runs = nullptr;
  size_t run_count = 0;
  uint8_t* to = nullptr;
  size_t pitch = 0;
};

struct GemmRow {
  const char* name;
  Isa isa;
  Packing packing;
  uint32_t lanes;
  uint32_t most_vectors;  // widest panel
  uint32_t thin_vectors;  // widest panel for a product of a single row, which needs more independent sums
  uint32_t most_rows;     // rows of the tile at the widest panel, for choosing block sizes
  void (*run)(const PanelTask& task);
  uint32_t few_vectors = 0;  // widest panel for a product of 2 or 3 rows; 0: most_vectors
  uint32_t fewest_rows = 0;  // of a product that it is worth choosing for
  uint32_t fewest_steps = 0;
  uint32_t unit_steps = 1;   // segments are filled up, with weights of 0, to a multiple of so many steps of any x
  // Of a row that wants the rows of a task at equal distances: brings others there. Otherwise null.
  void (*gather)(const GatherTask& task) = nullptr;
  uint32_t tile_rows = 1;    // rows that it loads by one distance, at most
  // What a thread does before its first and after its last task, which have tiles of so many rows; may be null.
  void (*enter)(size_t tile_rows) = nullptr;
  void (*leave)() = nullptr;
  bool large_blocks = false;  // blocks of many rows pay, even if panels that take turns do not find x in L1
};

extern const GemmRow gemm_f32_scalar_1x8;
extern const GemmRow gemm_u8s8_scalar_1x8;
#if defined(__x86_64__)
extern const GemmRow gemm_f32_avx2_6x16;
extern const GemmRow gemm_u8s8_avx2_proven_6x16;
extern const GemmRow gemm_u8s8_avx2_6x16;
extern const GemmRow gemm_u8s8_avxvnni_6x16;
extern const GemmRow gemm_f32_avx512_6x64;
extern const GemmRow gemm_u8s8_avx512_proven_12x32;
extern const GemmRow gemm_u8s8_avx512_12x32;
extern const GemmRow gemm_u8s8_vnni_6x64;
extern const GemmRow gemm_u8s8_amx_32x64;
#endif

}  // namespace lowp
