// What an instruction set implements for `observe_histogram`.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lowp {

constexpr size_t kHistogramBins = 4096;
constexpr unsigned kHistogramShift = 20;
// Elements that are counted at a time; their counts fit into 16 bits.
constexpr size_t kHistogramChunk = 32768;

// Equal bins of two tables must not be a multiple of 4096 bytes apart: a load would take the other's store for its own.
struct HistogramTable {
  uint16_t counts[kHistogramBins + 544];
};

// `count` runs of `run` elements, which begin `stride` elements apart.
struct HistogramRuns {
  const float* first;
  size_t run, count, stride;
};

struct HistogramRows {
  // Tables in turns: equal neighbours are frequent, and a count would have to wait for the one before. All lie in L1.
  size_t tables;  // a power of two, at least 2
  // counts[kHistogramBins] of at most kHistogramChunk elements; the tables are scratch.
  void (*count)(const HistogramRuns& x, HistogramTable* tables, uint16_t* counts);
  // totals[kHistogramBins] += counts
  void (*add)(const uint16_t* counts, int64_t* totals);
};

extern const HistogramRows observe_histogram_scalar;
extern const HistogramRows observe_histogram_avx512_16;

}  // namespace lowp
